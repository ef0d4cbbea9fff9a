import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Bundle } from "../lab/bundle.ts";

/** What is drilled with: this version, and 0.1. */
export interface Bundles {
	readonly ours: Bundle;
	readonly "version 1": Bundle;
}

/** A drill: it throws where something does not hold. */
export interface Drill {
	/** In a few words, behind "npm run drill -- NAME". */
	readonly about: string;
	/** Whether it mostly waits. */
	readonly waits?: true;
	run(stage: Stage): Promise<void>;
}

/** Where a drill runs: stores of its own, and a place to say what it does and sees. */
export class Stage {
	readonly bundles: Bundles;
	readonly #directory = mkdtempSync(path.join(tmpdir(), "edge-runs-drill-"));
	readonly #print: (line: string) => void;
	readonly #endings: (() => unknown)[] = [];
	readonly #bugs: string[] = [];
	#steps = 0;

	constructor(bundles: Bundles, print: (line: string) => void) {
		this.bundles = bundles;
		this.#print = print;
	}

	/** The folder of the stores. */
	get state(): string {
		return path.join(this.#directory, "state");
	}

	/** A file of the drill's own. */
	file(name: string): string {
		return path.join(this.#directory, name);
	}

	/** Takes a line of a Worker's log. A bug of the service has no place in any drill. */
	readonly log = (line: string): void => {
		if (line.includes('"INTERNAL_ERROR"') || /uncaught/i.test(line)) this.#bugs.push(line);
	};

	/** @throws if the service's log has told of a bug */
	noBugs(): void {
		if (this.#bugs.length > 0) throw new Error(`the service's log says:\n${this.#bugs.slice(0, 5).join("\n")}`);
	}

	step(what: string): void {
		this.#print(`\n  ${++this.#steps}. ${what}`);
	}

	/** @param what may have several lines */
	seen(what: string): void {
		for (const line of what.trimEnd().split("\n")) this.#print(`     ${line}`);
	}

	/** Something to be done at the end, whatever happens. The last one first. */
	atEnd(ending: () => unknown): void {
		this.#endings.unshift(ending);
	}

	async end(): Promise<void> {
		for (const ending of this.#endings) await ending();
		rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
	}
}
