/** `npm run dev`: the Worker on http://localhost:3026 with local D1 and KV, migrated and seeded. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command, Stop } from "./command-line.ts";
import { ensureDevVars } from "./dev/vars.ts";
import { CHATS } from "./seed/chats.ts";
import { serveSignIn } from "./sign-in.ts";
import { root, WRANGLER, wranglerEnv } from "./wrangler.ts";

/** Where an app under development is served by most tools (Next.js and others, Vite). */
const APP_ORIGINS = "http://localhost:3000,http://localhost:5173";

const HELP = `Serves edge-runs on this machine, with local D1 and KV, migrated and seeded:

  npm run dev

  --port N              3026 unless given
  --persist-to DIR      where the local stores are: .wrangler/state unless given
  --cookie-jar FILE     where the demo user's session goes, for curl -b: cookies.txt unless given
  --allow-origins LIST  whose pages may read: ALLOWED_ORIGINS of .dev.vars, or ${APP_ORIGINS}
  --help                says this

The options are for a second instance beside the first. It can be run again and again: the seeded chats are put back,
all else stays as it is. Secrets are in .dev.vars, which it writes with random ones if it is missing.`;

const OPTIONS = {
	port: { type: "string", default: "3026" },
	"persist-to": { type: "string", default: ".wrangler/state" },
	"cookie-jar": { type: "string", default: "cookies.txt" },
	"allow-origins": { type: "string" },
} as const;

await command(HELP, OPTIONS, async ({ values: options }) => {
	const port = Number(options.port);
	if (!Number.isInteger(port) || port < 1 || port > 65535)
		throw new Stop(`--port takes a number from 1 to 65535, not "${options.port}".`);
	const state = path.resolve(options["persist-to"]);
	const cookieJar = path.resolve(options["cookie-jar"]);
	// No network is needed: no request metadata, no telemetry, no look for updates.
	Object.assign(process.env, wranglerEnv(), { CLOUDFLARE_CF_FETCH_ENABLED: "false" });
	process.chdir(root);

	await requireFreePort(port);
	const { prepareState } = await import("./dev/state.ts");
	const vars = ensureDevVars();
	const origins = options["allow-origins"] ?? vars["ALLOWED_ORIGINS"] ?? APP_ORIGINS;
	requireOrigins(origins);
	await prepareState(state, cookieJar, vars.BETTER_AUTH_SECRET);
	const child = serve(port, state, origins);
	void announce(child, port, cookieJar);
	return new Promise<number>((resolve) => {
		let stopping = false;
		for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
			process.on(signal, () => {
				stopping = true;
				child.kill(signal);
			});
		}
		// wrangler ends with 130 on Ctrl+C, which npm would report as a failure.
		child.on("exit", (code) => resolve(stopping ? 0 : (code ?? 1)));
	});
});

/** Listens on all addresses, to find a server on any of them. */
async function requireFreePort(port: number): Promise<void> {
	for (const host of ["127.0.0.1", "::1"]) {
		const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
			const probe = createServer();
			probe.once("error", resolve);
			probe.listen(port, host, () => probe.close(() => resolve(undefined)));
		});
		// A host without IPv6 answers EADDRNOTAVAIL or EAFNOSUPPORT for ::1.
		if (error?.code === "EADDRINUSE") {
			throw new Stop(
				`Port ${port} is in use. Stop what listens there (perhaps another "npm run dev"), or run: npm run dev -- --port ${port + 1}`,
			);
		}
	}
}

/** Fails at once, rather than at the first request. */
function requireOrigins(list: string): void {
	const wrong = list.split(",").find((each) => !URL.canParse(each) || new URL(each).origin !== each.trim());
	if (wrong === undefined) return;
	throw new Stop(`--allow-origins takes origins such as http://localhost:5173, with commas between, not "${wrong}".`);
}

function serve(port: number, state: string, origins: string): ChildProcess {
	// --env=: the top level of wrangler.toml, without a warning that there are other environments.
	// --test-scheduled puts the cron trigger at /__scheduled. Without it wrangler warns that nothing triggers it here.
	const quiet = ["--env=", "--show-interactive-dev-session=false", "--test-scheduled"];
	const vars = ["--var", `ALLOWED_ORIGINS:${origins}`];
	const args = ["dev", "--port", String(port), "--persist-to", state, ...vars, ...quiet];
	return spawn(process.execPath, [WRANGLER, ...args], { stdio: ["ignore", "inherit", "inherit"] });
}

async function announce(child: ChildProcess, port: number, cookieJar: string): Promise<void> {
	const origin = `http://localhost:${port}`;
	while (child.exitCode === null) {
		const ready = await fetch(`${origin}/api/health`).then(
			(response) => response.ok,
			() => false,
		);
		if (ready) break;
		await sleep(200);
	}
	if (child.exitCode !== null) return;
	let links = 0;
	await serveSignIn(port + 1, cookieJar, `${origin}/chats/${CHATS.everyStatus}`, (link) => {
		console.log(
			++links === 1
				? welcome(origin, path.relative(root, cookieJar), link)
				: `For one more browser, signed in: ${link}`,
		);
	});
}

function welcome(origin: string, cookieJar: string, link: string): string {
	return `
edge-runs is ready at ${origin}. Paste into another terminal, in this folder:

curl -X GET "${origin}/api/chats/${CHATS.example}/workflow-runs" \\
  -H "Accept: application/json" \\
  -H "Content-Type: application/json" \\
  -b ${cookieJar}

A run in every status: the same with ${CHATS.everyStatus}
All that a run can say: the same with ${CHATS.everyField}
In a browser, signed in: ${link} (works once)
`;
}
