/*
 * What differs between Node, Workers, Deno and browsers. No runtime's module is imported: what is there is used.
 */

interface Runtime {
	navigator?: { userAgent?: string };
	process?: { on?: (event: "beforeExit", listener: () => void) => unknown };
}
const runtime = globalThis as Runtime;

export const isWorkers = () => runtime.navigator?.userAgent === "Cloudflare-Workers";

/** A timer that does not keep a process alive, where there are processes. @returns cancels it */
export function after(milliseconds: number, callback: () => void): () => void {
	const timer = setTimeout(callback, milliseconds);
	release(timer);
	return () => clearTimeout(timer);
}

/** As `after`, again and again. */
export function every(milliseconds: number, callback: () => void): () => void {
	const timer = setInterval(callback, milliseconds);
	release(timer);
	return () => clearInterval(timer);
}

function release(timer: unknown): void {
	(timer as { unref?: () => void }).unref?.();
}

const beforeExit = new Set<() => void>();
let listening = false;

/**
 * Calls back when the process has nothing left to do, as often as that happens: it lives on for as long as what is begun
 * there. Not at `process.exit()`, nor by a signal.
 * @returns stops it
 */
export function atExit(callback: () => void): () => void {
	beforeExit.add(callback);
	if (!listening && !isWorkers()) {
		listening = true;
		// One listener for all: each further one counts against Node's limit of ten.
		runtime.process?.on?.("beforeExit", () => {
			for (const each of beforeExit) each();
		});
	}
	return () => void beforeExit.delete(callback);
}
