import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

export const root = path.resolve(import.meta.dirname, "../..");

/** Below the ports that systems give out by themselves, so that no server started meanwhile is given one of them. */
const PORTS = { from: 10_000, to: 30_000 };

/** A port that nothing listens on, nor on the next, where `npm run dev` serves its sign-in link. */
export async function freePort(): Promise<number> {
	for (;;) {
		const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
		if ((await isFree(port)) && (await isFree(port + 1))) return port;
	}
}

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer().once("error", () => resolve(false));
		probe.listen(port, () => probe.close(() => resolve(true)));
	});
}

/** A folder of its own for a test; `remove` deletes it. */
export function temporaryFolder(): { folder: string; remove: () => void } {
	const folder = mkdtempSync(path.join(tmpdir(), "edge-runs-"));
	return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface Ran {
	code: number | null;
	output: string;
}

/** A script of the project that stays until it is stopped, as a process group of its own. */
export class Server {
	readonly #script: string;
	readonly #child: ChildProcess;
	readonly #exit: Promise<Ran>;
	#output = "";

	constructor(script: string, options: readonly string[]) {
		// vitest.config.ts quietens wrangler for the tests; here it is to run as it is.
		const { WRANGLER_LOG: _, ...env } = process.env;
		this.#script = script;
		this.#child = spawn(process.execPath, [`scripts/${script}`, ...options], { cwd: root, env, detached: true });
		for (const stream of [this.#child.stdout, this.#child.stderr]) {
			stream?.on("data", (chunk) => {
				this.#output += chunk;
			});
		}
		this.#exit = new Promise((resolve) => {
			this.#child.once("close", (code) => resolve({ code, output: this.#output }));
		});
	}

	/** Resolves when it has ended by itself. */
	ended(): Promise<Ran> {
		return this.#exit;
	}

	/** Resolves with what it printed when it has said that it is ready; rejects if it ends before, or takes too long. */
	async says(ready: RegExp, seconds: number): Promise<string> {
		let ended: Ran | undefined;
		void this.#exit.then((ran) => {
			ended = ran;
		});
		const deadline = Date.now() + seconds * 1_000;
		while (!ready.test(this.#output)) {
			if (ended) throw new Error(`${this.#script} ended with ${ended.code}:\n${ended.output}`);
			if (Date.now() > deadline) throw new Error(`${this.#script} is not ready after ${seconds} s:\n${this.#output}`);
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		return this.#output;
	}

	/** Ends it as Ctrl+C does, and whatever is left of its group after that. */
	async stop(): Promise<Ran> {
		this.#signal("SIGINT");
		const patience = setTimeout(() => this.#signal("SIGKILL"), 10_000);
		const ran = await this.#exit;
		clearTimeout(patience);
		this.#signal("SIGKILL");
		return ran;
	}

	#signal(signal: NodeJS.Signals): void {
		try {
			process.kill(-(this.#child.pid as number), signal);
		} catch {
			// The group has ended.
		}
	}
}

/** `npm run dev`, with its options. */
export class DevServer extends Server {
	constructor(...options: string[]) {
		super("dev.ts", options);
	}

	ready(): Promise<string> {
		return this.says(/ is ready at [\s\S]*every status: .*\n/, 110);
	}
}

/** A text file of the repository. */
export const readText = (file: string) => readFileSync(path.join(root, file), "utf8");
