import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readText, root, temporaryFolder } from "../node/dev-server.ts";
import { runScript } from "../node/scripts.ts";
import { CloudflareApi } from "./cloudflare-api.ts";

const MIGRATIONS = (JSON.parse(readText("drizzle/meta/_journal.json")) as { entries: { tag: string }[] }).entries;
// vitest.config.ts quietens wrangler for the tests; what it says here is what a person reads.
const LOUD = { WRANGLER_LOG: "log" };
/** Nobody is signed in, whoever runs the tests. */
const NOBODY = {
	...LOUD,
	CLOUDFLARE_API_TOKEN: "",
	CLOUDFLARE_ACCOUNT_ID: "",
	XDG_CONFIG_HOME: "/nowhere",
	HOME: "/nowhere",
};
const secretsFile = (label: string) => path.join(root, `.secrets.${label}`);

describe("with an account, npm run deploy and npm run setup", () => {
	let api: CloudflareApi;
	let account: Readonly<Record<string, string>>;
	beforeAll(async () => {
		api = new CloudflareApi();
		account = await api.listen();
	});
	afterAll(() => api.close());
	afterEach(() => rmSync(secretsFile("staging"), { force: true }));

	async function run(script: string, env: Record<string, string> = {}, more: string[] = []) {
		const from = api.events.length;
		const { code, output } = await runScript(script, ["--env", "staging", ...more], {
			env: { ...account, ...LOUD, ...env },
		});
		expect(code, output).toBe(0);
		return { output, events: api.events.slice(from) };
	}
	const applied = () =>
		api.databases.get("edge-runs-staging")?.sqlite.prepare("select name from d1_migrations order by id").all();

	it("make all that is missing, the tables before the Worker, and hint at the secrets", async () => {
		const { output, events } = await run("deploy.ts");
		expect(events).toEqual([
			"database edge-runs-staging",
			"table d1_migrations in edge-runs-staging",
			"table chats in edge-runs-staging",
			"table workflow_runs in edge-runs-staging",
			"table user_runs in edge-runs-staging",
			"namespace edge-runs-staging-sessions",
			"worker edge-runs-staging",
		]);
		expect(applied()).toEqual(MIGRATIONS.map(({ tag }) => ({ name: `${tag}.sql` })));
		const bindings = api.workers.get("edge-runs-staging")?.bindings;
		expect(bindings).toContainEqual(
			expect.objectContaining({ name: "DB", type: "d1", id: api.databases.get("edge-runs-staging")?.uuid }),
		);
		expect(bindings).toContainEqual(
			expect.objectContaining({ name: "SESSIONS", namespace_id: api.namespaces.get("edge-runs-staging-sessions") }),
		);
		expect(output).toContain("has no secrets yet and answers nobody. Next: npm run setup -- --env staging");
	});

	it.each([
		["RECORDER_TOKENS", "a token with spaces, which no header can have", /token 1 is not a bearer token/],
		["OPERATOR_TOKENS", "the-engines-own-token-0123456789abcdef", /token 1 is one of RECORDER_TOKENS, too/],
		["READ_TOKEN_SECRET", "less-than-thirty-two", /secret 1 is too short/],
	])("set no %s that the Worker would not take", async (name, value, message) => {
		const given = {
			BETTER_AUTH_SECRET: "x".repeat(32),
			RECORDER_TOKENS: "the-engines-own-token-0123456789abcdef",
			[name]: value,
		};
		const from = api.events.length;
		const env = { ...account, ...LOUD, ...given };
		const { code, output } = await runScript("setup.ts", ["--env", "staging"], { env });
		expect([code, output]).toEqual([2, expect.stringMatching(message)]);
		expect(output).not.toContain(value);
		expect(api.events.slice(from)).toEqual([]);
	});

	it("set the secrets that are missing, and show none of them", async () => {
		const secret = "better-auths-own-secret-of-this-test-0123456789";
		const { output, events } = await run("setup.ts", { BETTER_AUTH_SECRET: secret });
		expect(events).toEqual([
			"secrets BETTER_AUTH_SECRET,RECORDER_TOKENS,OPERATOR_TOKENS,READ_TOKEN_SECRET of edge-runs-staging",
		]);
		const { secrets } = api.workers.get("edge-runs-staging") as { secrets: Record<string, string> };
		const madeUp = expect.stringMatching(/^[0-9a-f]{64}$/);
		const names = ["RECORDER_TOKENS", "OPERATOR_TOKENS", "READ_TOKEN_SECRET"];
		expect(secrets).toEqual({ BETTER_AUTH_SECRET: secret, ...Object.fromEntries(names.map((name) => [name, madeUp])) });
		const kept = names.map((name) => `${name}=${secrets[name]}\n`).join("");
		expect(readFileSync(secretsFile("staging"), "utf8")).toBe(kept);
		expect(new Set(Object.values(secrets)).size).toBe(4);
		for (const each of Object.values(secrets)) expect(output).not.toContain(each);

		const again = await run("setup.ts");
		expect(again.events).toEqual([]);
		expect(again.output).toContain("RECORDER_TOKENS is set already, and stays");
	});

	it("keep what is there, the second time", async () => {
		const before = [...(api.workers.get("edge-runs-staging")?.bindings ?? [])];
		const { output, events } = await run("deploy.ts");
		expect(events.filter((event) => !event.startsWith("table d1_migrations"))).toEqual(["worker edge-runs-staging"]);
		expect(api.workers.get("edge-runs-staging")?.bindings).toEqual(before);
		expect(output).not.toContain("npm run setup");
	});

	it("migrate alone, by --migrations-only, what a restored database lacks", async () => {
		const last = `${MIGRATIONS.at(-1)?.tag}.sql`;
		const { sqlite } = api.databases.get("edge-runs-staging") as { sqlite: DatabaseSync };
		sqlite.exec("drop table user_runs; drop table workflow_runs; drop table chats; drop table d1_migrations");
		const { events } = await run("deploy.ts", {}, ["--migrations-only"]);
		expect(events.filter((event) => !event.startsWith("table "))).toEqual([]);
		expect(applied()?.at(-1)).toEqual({ name: last });
	});
});

describe.concurrent("without an account", () => {
	it.each([
		["production", [], "edge-runs"],
		["staging", ["--env", "staging"], "edge-runs-staging"],
	])("npm run deploy -- --dry-run shows the steps and bundles the Worker, for %s", async (label, args, name) => {
		const { code, output } = await runScript("deploy.ts", ["--dry-run", ...args], { env: NOBODY });
		expect(code, output).toBe(0);
		const [create, migrate, deploy] = [
			`wrangler d1 create ${name} `,
			`wrangler d1 migrations apply DB --remote --env=${args[1] ?? ""}\n`,
			`wrangler deploy --env=${args[1] ?? ""}\n`,
		].map((step) => output.indexOf(step));
		expect(output).toContain(`For ${label} this would run`);
		expect([create, migrate, deploy].every((at) => at !== -1)).toBe(true);
		expect([create, migrate, deploy]).toEqual([create, migrate, deploy].toSorted((a = 0, b = 0) => a - b));
		expect(output).toContain(`env.DB (${name})`);
		expect(output).toContain("--dry-run: exiting now.");
	});

	it("npm run setup -- --dry-run says what it would set", async () => {
		const { code, output } = await runScript("setup.ts", ["--dry-run", "--env", "staging"], { env: NOBODY });
		expect([code, output]).toEqual([
			0,
			expect.stringMatching(/edge-runs-staging[\s\S]*BETTER_AUTH_SECRET[\s\S]*RECORDER_TOKENS/),
		]);
	});

	it.each(["deploy.ts", "setup.ts"])("%s says how to sign in, and does nothing", async (script) => {
		const { code, output } = await runScript(script, [], { env: NOBODY });
		expect([code, output]).toEqual([2, expect.stringContaining("npx wrangler login")]);
		expect(existsSync(secretsFile("production"))).toBe(false);
	});

	it("an environment that is not there is refused", async () => {
		const { code, output } = await runScript("deploy.ts", ["--env", "stagin", "--dry-run"], { env: NOBODY });
		expect([code, output]).toEqual([
			2,
			expect.stringContaining('No environment found in configuration with name "stagin"'),
		]);
		expect(output).not.toMatch(/\n\s+at /);
	});

	it("wrangler works from another Worker's folder", async () => {
		const { folder, remove } = temporaryFolder();
		const wrangler = path.join(root, "node_modules/wrangler/bin/wrangler.js");
		const out = path.join(folder, "out");
		const options = [
			"--dry-run",
			"--env=",
			"--outdir",
			out,
			"-c",
			path.relative(folder, path.join(root, "wrangler.toml")),
		];
		try {
			const ran = spawnSync(process.execPath, [wrangler, "deploy", ...options], {
				cwd: folder,
				encoding: "utf8",
				env: { ...process.env, ...NOBODY, PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}` },
			});
			expect(ran.stdout + ran.stderr).toContain("--dry-run: exiting now.");
			expect(existsSync(path.join(out, "index.js"))).toBe(true);
		} finally {
			remove();
		}
	});
});
