import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import journal from "../../../drizzle/meta/_journal.json";
import wranglerToml from "../../../wrangler.toml?raw";
import { SECRETS } from "../access/read-tokens.ts";
import { request, requestWith, uuid } from "../helpers.ts";
import { OPERATOR_TOKENS, TOKENS } from "../recording/recorder.ts";
import { watchBindings } from "../watch-bindings.ts";
import { look, refusal } from "./look.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

interface Look {
	health: { status: string; checks: Record<string, string> };
	database: { bytes: number; migrations: { applied: string[]; missing: string[] } } | null;
	settings: {
		vars: Record<string, unknown>;
		secrets: Record<string, number>;
		bindings: Record<string, boolean>;
	};
}

const MIGRATIONS = journal.entries.map(({ tag }) => `${tag}.sql`);

it("an operator's look at the service has what /api/health finds, the database's size and migrations, and what is set", async () => {
	const { health, database, settings } = await look<Look>("health");
	const { checkedAt: _, ...found } = await (await request("/api/health")).json<Record<string, unknown>>();
	expect(health).toMatchObject(found);
	expect(database).toEqual({
		bytes: expect.toSatisfy((bytes) => bytes > 10_000),
		region: null,
		migrations: { applied: MIGRATIONS, missing: [] },
	});
	expect(settings.vars).toMatchObject({ RETENTION_DAYS: null, FRESH_SECONDS: 1, MAX_HISTORY_BYTES: 24_000_000 });
	expect(settings.secrets).toEqual({
		BETTER_AUTH_SECRET: 1,
		RECORDER_TOKENS: 2,
		OPERATOR_TOKENS: 2,
		READ_TOKEN_SECRET: 2,
	});
	expect(settings.bindings).toMatchObject({ HUB: true, READ_LIMIT: true });
	const limiters = [...wranglerToml.matchAll(/^name = "(\w+_LIMIT)"/gm)].map(([, name]) => name as string);
	expect(Object.keys(settings.bindings)).toEqual(expect.arrayContaining(limiters));
});

it.each<[string, unknown]>([
	["text", "https://a.example.com, https://b.example.com"],
	["a list of TOML's", ["https://a.example.com", "https://b.example.com"]],
])("it tells settings as they count, origins as %s among them, and which bindings are off", async (_, allowed) => {
	const changed = { RETENTION_DAYS: "30", HISTORY_FULL: "drop-oldest", HUB: undefined, READ_LIMIT: undefined };
	const origins = { ALLOWED_ORIGINS: allowed as string };
	const { settings } = await look<Look>("health", { ...changed, ...origins, READ_TOKEN_SECRET: undefined });
	expect(settings.vars).toMatchObject({
		RETENTION_DAYS: 30,
		HISTORY_FULL: "drop-oldest",
		ALLOWED_ORIGINS: "https://a.example.com,https://b.example.com",
	});
	expect(settings.bindings).toMatchObject({ HUB: false, READ_LIMIT: false, WRITE_LIMIT: true });
	expect(settings.secrets["READ_TOKEN_SECRET"]).toBe(0);
});

it.each([
	["two, while it is changed", `${"n".repeat(40)}, ${"o".repeat(40)}`, 2],
	["one that has a comma in it", `${"a".repeat(20)},${"b".repeat(20)}`, 1],
	["one whose comma leaves a long part", `${"a".repeat(20)},${"b".repeat(40)}`, 1],
])("it counts the secrets of sessions: %s", async (_, BETTER_AUTH_SECRET, count) => {
	const { settings } = await look<Look>("health", { BETTER_AUTH_SECRET });
	expect(settings.secrets["BETTER_AUTH_SECRET"]).toBe(count);
});

it("it never tells a secret", async () => {
	const headers = { authorization: `Bearer ${OPERATOR_TOKENS[1]}` };
	const text = await (await requestWith({}, "/api/admin/health", { headers })).text();
	for (const secret of [...TOKENS, ...OPERATOR_TOKENS, ...SECRETS, env.BETTER_AUTH_SECRET])
		expect(text).not.toContain(secret);
});

it("it comes while D1 fails or hangs, without the database", async () => {
	vi.spyOn(console, "error").mockImplementation(() => {});
	for (const onD1 of [() => Promise.reject(new Error("D1_ERROR: down")), () => new Promise<never>(() => {})]) {
		const { calls: _, ...bindings } = watchBindings({ onD1 });
		const { health, database } = await look<Look>("health", { ...bindings, STORE_TIMEOUT_SECONDS: 0.5 });
		expect(database).toBeNull();
		expect(health).toMatchObject({ status: "failing", checks: { d1: "failing", kv: "ok" } });
	}
});

it("it names the migrations that the database lacks, and those that this Worker does not know", async () => {
	vi.spyOn(console, "error").mockImplementation(() => {});
	const last = MIGRATIONS.at(-1) as string;
	await env.DB.prepare("update d1_migrations set name = '9999_later.sql' where name = ?").bind(last).run();
	try {
		const { health, database } = await look<Look>("health");
		expect(database?.migrations.missing).toEqual([last]);
		expect(database?.migrations.applied).toContain("9999_later.sql");
		expect(health.checks["migrations"]).toBe("failing");
	} finally {
		await env.DB.prepare("update d1_migrations set name = ? where name = '9999_later.sql'").bind(last).run();
	}
});

it.each([`chats/${uuid()}`, `workflow-runs/${uuid()}`, `users/${uuid()}`, "health"])(
	"a look at %s is counted by the token, before any store is asked",
	async (path) => {
		const { calls, ...bindings } = watchBindings();
		const keys: string[] = [];
		const limit = async ({ key }: { key: string }) => ({ success: keys.push(key) === 0 });
		const told = await refusal(path, { ...bindings, OPERATOR_LIMIT: { limit } as unknown as RateLimit });
		expect(told).toEqual([429, "RATE_LIMITED", "Too many requests; try again later"]);
		expect({ keys, ...calls }).toEqual({ keys: ["token 1"], kv: [], d1: [] });
	},
);
