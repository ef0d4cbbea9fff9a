import type { Miniflare } from "miniflare";

interface Target {
	readonly id: string;
	readonly webSocketDebuggerUrl: string;
}

interface ProfileNode {
	readonly id: number;
	readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

/** What `Profiler.stop` answers: https://chromedevtools.github.io/devtools-protocol/v8/Profiler/ */
export interface Profile {
	readonly nodes: readonly ProfileNode[];
	readonly samples: readonly number[];
	/** Microseconds between the samples. */
	readonly timeDeltas: readonly number[];
}

/** How often V8 looks what is running. */
const SAMPLING_MICROSECONDS = 100;

/** Profiles the isolate of a server's own Worker while some work is done. The server must have been started `inspected`. */
export async function profile(miniflare: Miniflare, work: () => Promise<void>): Promise<Profile> {
	const url = await miniflare.getInspectorURL();
	const targets = (await (await fetch(`http://${url.host}/json`)).json()) as Target[];
	const ours = targets.find(({ id }) => id.startsWith("core:user:"));
	if (!ours) throw new Error("workerd names no isolate of ours");
	const devTools = await DevTools.open(ours.webSocketDebuggerUrl);
	try {
		await devTools.call("Profiler.enable");
		await devTools.call("Profiler.setSamplingInterval", { interval: SAMPLING_MICROSECONDS });
		await devTools.call("Profiler.start");
		await work();
		const { profile } = (await devTools.call("Profiler.stop")) as { profile: Profile };
		return profile;
	} finally {
		devTools.close();
	}
}

/** A longer time between two samples was not the function's: the machine had something else to do. */
const MAX_SAMPLE_MICROSECONDS = 2 * SAMPLING_MICROSECONDS;

/** V8's names for what is no function of the isolate's. Garbage is the isolate's own. */
const NOT_OURS = ["(root)", "(program)", "(idle)"];

/** The isolate's functions by the time spent in each itself, the longest first. */
export function ownFunctions({ nodes, samples, timeDeltas }: Profile): { name: string; milliseconds: number }[] {
	const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
	const times = new Map<string, number>();
	for (const [i, id] of samples.entries()) {
		const name = names.get(id) ?? "";
		if (NOT_OURS.includes(name)) continue;
		times.set(name, (times.get(name) ?? 0) + Math.min(timeDeltas[i] ?? 0, MAX_SAMPLE_MICROSECONDS) / 1000);
	}
	const all = [...times].map(([name, milliseconds]) => ({ name, milliseconds }));
	return all.sort((a, b) => b.milliseconds - a.milliseconds);
}

function nameOf({ functionName, url, lineNumber }: ProfileNode["callFrame"]): string {
	if (functionName.startsWith("(") && functionName !== "(anonymous)") return functionName;
	const file = url.slice(url.lastIndexOf("/") + 1);
	return `${functionName || "(anonymous)"}${file ? ` ${file}:${lineNumber + 1}` : ""}`;
}

/** A connection by the protocol of Chrome's DevTools. */
class DevTools {
	readonly #socket: WebSocket;
	readonly #waiting = new Map<number, (result: unknown) => void>();
	#count = 0;

	private constructor(socket: WebSocket) {
		this.#socket = socket;
		socket.onmessage = ({ data }) => {
			const { id, result } = JSON.parse(String(data));
			this.#waiting.get(id)?.(result);
			this.#waiting.delete(id);
		};
	}

	static open(url: string): Promise<DevTools> {
		const socket = new WebSocket(url);
		return new Promise((resolve, reject) => {
			socket.onopen = () => resolve(new DevTools(socket));
			socket.onerror = () => reject(new Error(`${url} does not answer`));
		});
	}

	call(method: string, params: object = {}): Promise<unknown> {
		this.#count += 1;
		this.#socket.send(JSON.stringify({ id: this.#count, method, params }));
		return new Promise((resolve) => this.#waiting.set(this.#count, resolve));
	}

	close(): void {
		this.#socket.close();
	}
}
