import type { Miniflare } from "miniflare";

const MEGABYTE = 1024 * 1024;

interface Target {
	readonly id: string;
	readonly webSocketDebuggerUrl: string;
}

/** The size of V8's heap for each isolate of a workerd, in megabytes: our Worker's, and those of Miniflare's stores. */
export async function heapsOf(miniflare: Miniflare): Promise<{ ours: number; stores: number }> {
	const url = await miniflare.getInspectorURL();
	const targets = (await (await fetch(`http://${url.host}/json`)).json()) as Target[];
	const heaps = { ours: 0, stores: 0 };
	for (const { id, webSocketDebuggerUrl } of targets) {
		heaps[id.startsWith("core:user:") ? "ours" : "stores"] += await heapOf(webSocketDebuggerUrl);
	}
	return heaps;
}

/** Asks by the protocol of Chrome's DevTools. */
function heapOf(url: string): Promise<number> {
	const socket = new WebSocket(url);
	return new Promise<number>((resolve, reject) => {
		socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: "Runtime.getHeapUsage" }));
		socket.onerror = () => reject(new Error(`${url} does not answer`));
		socket.onmessage = ({ data }) => {
			const { id, result } = JSON.parse(String(data));
			if (id === 1) resolve((result.usedSize + result.backingStorageSize) / MEGABYTE);
		};
	}).finally(() => socket.close());
}
