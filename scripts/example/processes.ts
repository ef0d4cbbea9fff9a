import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Stop } from "../command-line.ts";

const PAUSE_MILLISECONDS = 200;

interface StartOptions {
	/** Beside the environment that there is. */
	readonly env?: Record<string, string>;
	/** Shows what goes wrong, and nothing else. */
	readonly quiet?: boolean;
}

/** Processes that end together: when one of them ends, or somebody ends this one. */
export class Processes {
	readonly #ended: Promise<number>[] = [];
	readonly #running = new Set<ChildProcess>();
	#isAsked = false;

	constructor() {
		for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
			process.on(signal, () => {
				this.#isAsked = true;
				this.#end(signal);
			});
		}
	}

	/**
	 * Starts a script by this very Node, and resolves when it answers at the address.
	 * @throws {Stop} if something else answers there, or the script ends before
	 */
	async start(cwd: string, script: string, args: string[], url: string, { env, quiet }: StartOptions): Promise<void> {
		if (await answers(url)) {
			this.#end("SIGTERM");
			throw new Stop(`Something else is at ${url} already. Stop it, or choose another --port.`);
		}
		const stdio = ["ignore", quiet ? "ignore" : "inherit", "inherit"] as const;
		const child = spawn(process.execPath, [script, ...args], {
			cwd,
			env: { ...process.env, ...env },
			stdio: [...stdio],
		});
		this.#running.add(child);
		this.#ended.push(
			new Promise((resolve) => {
				child.once("exit", (code) => {
					this.#running.delete(child);
					this.#end("SIGTERM");
					resolve(this.#isAsked ? 0 : (code ?? 1));
				});
			}),
		);
		while (this.#running.has(child) && !(await answers(url))) await sleep(PAUSE_MILLISECONDS);
		if (!this.#running.has(child) && !this.#isAsked) throw new Stop(`${script} has ended before it was ready.`);
	}

	/** Resolves when all have ended, with an exit status. */
	async ended(): Promise<number> {
		return Math.max(...(await Promise.all(this.#ended)));
	}

	#end(signal: NodeJS.Signals): void {
		for (const child of this.#running) child.kill(signal);
	}
}

const answers = (url: string) =>
	fetch(url).then(
		({ ok }) => ok,
		() => false,
	);
