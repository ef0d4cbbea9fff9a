import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";

const root = path.resolve(import.meta.dirname, "../..");
const READY_SECONDS = 90;

/** The real dev server, as `npm run dev` starts it, with a state of its own. */
export class DevServer {
	readonly origin: string;
	readonly #directory = mkdtempSync(path.join(tmpdir(), "edge-runs-"));
	#child: ChildProcess | undefined;

	constructor(readonly port: number) {
		this.origin = `http://localhost:${port}`;
	}

	/** Starts it, or starts it again on the same state; the seeded user is then signed in anew. */
	async start(): Promise<void> {
		let output = "";
		const child = spawn(
			process.execPath,
			[
				"scripts/dev.ts",
				...["--port", String(this.port)],
				...["--persist-to", path.join(this.#directory, "state"), "--cookie-jar", this.#cookieJar],
			],
			{ cwd: root, stdio: ["ignore", "pipe", "pipe"] },
		);
		this.#child = child;
		for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
		for (let waited = 0; !output.includes("is ready at"); waited += 0.1) {
			if (child.exitCode !== null || waited > READY_SECONDS) {
				await this.stop();
				throw new Error(`The dev server did not start:\n${output}`);
			}
			await sleep(100);
		}
	}

	async stop(): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const exited = new Promise((resolve) => child.once("exit", resolve));
		child.kill();
		await exited;
	}

	/** Stops it for good. */
	async dispose(): Promise<void> {
		await this.stop();
		rmSync(this.#directory, { recursive: true, force: true });
	}

	get #cookieJar(): string {
		return path.join(this.#directory, "cookies.txt");
	}

	/** The seeded user's session cookie, from the jar that was written for curl. */
	sessionCookie(): { name: string; value: string } {
		const line = readFileSync(this.#cookieJar, "utf8").trim().split("\n").at(-1) ?? "";
		const [name, value] = line.split("\t").slice(-2);
		if (!name || !value) throw new Error("The cookie jar holds no cookie");
		return { name, value };
	}

	/** Calls the API as a recorder, and throws unless it is done. */
	async record(method: string, pathname: string, body?: unknown): Promise<void> {
		const token = parseEnv(readFileSync(path.join(root, ".dev.vars"), "utf8"))["RECORDER_TOKENS"]?.split(",")[0];
		const response = await fetch(`${this.origin}${pathname}`, {
			method,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			...(body !== undefined && { body: JSON.stringify(body) }),
		});
		if (!response.ok) throw new Error(`${method} ${pathname}: ${response.status} ${await response.text()}`);
	}
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === "string") throw new Error("No port");
	return address.port;
}
