/**
 * `npm run dev`: the Worker on http://localhost:3026 with local D1 and KV, migrated and seeded.
 *
 * Options, for a second instance beside the first: `--port N`, `--persist-to DIR`, `--cookie-jar FILE`.
 * Can be run again and again: it resets the seeded chats and leaves everything else as it is.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, parseEnv } from "node:util";
import { CHATS, seedDatabase, seedSession } from "./seed.ts";
import { serveSignIn } from "./sign-in.ts";

const { values: options } = parseArgs({
	options: {
		port: { type: "string", default: "3026" },
		"persist-to": { type: "string", default: ".wrangler/state" },
		"cookie-jar": { type: "string", default: "cookies.txt" },
	},
});
const root = path.dirname(import.meta.dirname);
const port = Number(options.port);
const state = path.resolve(options["persist-to"]);
const cookieJar = path.resolve(options["cookie-jar"]);
const wrangler = path.join(root, "node_modules/wrangler/bin/wrangler.js");

// No network is needed: no request metadata, no telemetry, no look for updates.
Object.assign(process.env, {
	CLOUDFLARE_CF_FETCH_ENABLED: "false",
	WRANGLER_SEND_METRICS: "false",
	WRANGLER_HIDE_BANNER: "true",
});
process.chdir(root);

await requireFreePort();
const secret = ensureDevVars();
await prepareState();
serve();

function fail(message: string): never {
	console.error(`\n${message}\n`);
	process.exit(1);
}

/** Listens on all addresses, to find a server on any of them. */
async function requireFreePort(): Promise<void> {
	if (!Number.isInteger(port) || port < 1 || port > 65535)
		fail(`--port takes a number from 1 to 65535, not "${options.port}".`);
	for (const host of ["127.0.0.1", "::1"]) {
		const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
			const probe = createServer();
			probe.once("error", resolve);
			probe.listen(port, host, () => probe.close(() => resolve(undefined)));
		});
		// A host without IPv6 answers EADDRNOTAVAIL or EAFNOSUPPORT for ::1.
		if (error?.code === "EADDRINUSE") {
			fail(
				`Port ${port} is in use. Stop what listens there (perhaps another "npm run dev"), or run: npm run dev -- --port ${port + 1}`,
			);
		}
	}
}

/** Writes `.dev.vars` with random secrets if it is not there. Returns the secret that signs session cookies. */
function ensureDevVars(): string {
	const file = ".dev.vars";
	if (!existsSync(file)) {
		const random = () => randomBytes(32).toString("base64url");
		writeFileSync(
			file,
			`# Secrets of local development, made at random.\nBETTER_AUTH_SECRET=${random()}\nRECORDER_TOKENS=${random()}\n`,
			{
				mode: 0o600,
			},
		);
	}
	const secret = parseEnv(readFileSync(file, "utf8"))["BETTER_AUTH_SECRET"];
	if (!secret)
		fail(`${file} has no BETTER_AUTH_SECRET. Add one (at least 32 characters), or delete the file and run this again.`);
	return secret;
}

/** Migrates and seeds local D1, stores a session in local KV, and writes the cookie jar for it. */
async function prepareState(): Promise<void> {
	const migrate = spawnSync(
		process.execPath,
		[wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state],
		{ encoding: "utf8", env: { ...process.env, CI: "1" } },
	);
	if (migrate.status !== 0) failOnState(migrate.stdout + migrate.stderr);
	try {
		// It takes a second to load. If the port is in use, that is said before.
		const { getPlatformProxy } = await import("wrangler");
		const { env, dispose } = await getPlatformProxy<{
			DB: Parameters<typeof seedDatabase>[0];
			SESSIONS: Parameters<typeof seedSession>[0];
		}>({
			persist: { path: path.join(state, "v3") },
			remoteBindings: false,
		});
		try {
			await seedDatabase(env.DB);
			writeFileSync(cookieJar, await seedSession(env.SESSIONS, secret), { mode: 0o600 });
		} finally {
			await dispose();
		}
	} catch (error) {
		failOnState(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
}

function failOnState(reason: string): never {
	fail(
		`${reason.trim()}\n\nThe local database could not be prepared. If another "npm run dev" is not using it, delete the local state\n` +
			`and run this again (all local data goes):\n\n  rm -rf ${path.relative(root, state) || state}`,
	);
}

function serve(): void {
	// --test-scheduled puts the cron trigger at /__scheduled. Without it wrangler warns that nothing triggers it here.
	const child = spawn(
		process.execPath,
		[
			wrangler,
			"dev",
			"--port",
			String(port),
			"--persist-to",
			state,
			"--show-interactive-dev-session=false",
			"--test-scheduled",
		],
		{ stdio: ["ignore", "inherit", "inherit"] },
	);
	let stopping = false;
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
		process.on(signal, () => {
			stopping = true;
			child.kill(signal);
		});
	}
	// wrangler ends with 130 on Ctrl+C, which npm would report as a failure.
	child.on("exit", (code) => process.exit(stopping ? 0 : (code ?? 1)));
	void announce(child);
}

async function announce(child: ChildProcess): Promise<void> {
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
	const link = await serveSignIn(port + 1, cookieJar, `${origin}/chats/${CHATS.everyStatus}`);
	console.log(`
edge-runs is ready at ${origin}. Paste into another terminal, in this folder:

curl -X GET "${origin}/api/chats/${CHATS.example}/workflow-runs" \\
  -H "Accept: application/json" \\
  -H "Content-Type: application/json" \\
  -b ${path.relative(root, cookieJar)}

A run in every status: the same with ${CHATS.everyStatus}
In a browser, signed in: ${link}
`);
}
