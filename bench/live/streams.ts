import { Agent, type ClientRequest, request } from "node:http";

/** Streams of one chat, all open, and when each of them first had each marker that was reported. */
export interface Streams {
	/** Bytes that all of them have received so far. */
	bytes(): number;
	/** For each stream, the moment at which it had this marker or a later one, by `performance.now()`; undefined: not yet. */
	arrivals(marker: number): (number | undefined)[];
	close(): void;
}

const MARKER = /marker-(\d{5})/g;
/** What a marker may be split over by two chunks. */
const OVERLAP = 16;

/** The step name that is the sign of a report: a later one wins, since of two names of one length the greater counts. */
export const markerName = (marker: number) => `marker-${String(marker).padStart(5, "0")}`;

/** Opens streams, a few at a time, and resolves when each has had its first event. */
export async function openStreams(url: URL, cookie: string, count: number): Promise<Streams> {
	const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
	const sent: ClientRequest[] = [];
	const seen: number[][] = [];
	let bytes = 0;
	const open = (index: number) =>
		new Promise<void>((resolve, reject) => {
			const arrived: number[] = [];
			seen[index] = arrived;
			let tail = "";
			const stream = request(url, { agent, headers: { cookie, accept: "text/event-stream" } }, (response) => {
				if (response.statusCode !== 200) return reject(new Error(`${url.href} answered ${response.statusCode}`));
				response.on("error", () => {}); // closed by us
				response.on("data", (chunk: Buffer) => {
					const now = performance.now();
					bytes += chunk.length;
					const text = tail + chunk.toString("latin1");
					tail = text.slice(-OVERLAP);
					for (const [, found] of text.matchAll(MARKER)) {
						for (let marker = Number(found); marker >= 0 && arrived[marker] === undefined; marker--)
							arrived[marker] = now;
					}
					if (text.includes("\nid: ") || text.includes("\nid:")) resolve();
				});
			});
			stream.on("error", reject);
			stream.end();
			sent.push(stream);
		});
	const AT_A_TIME = 25;
	for (let from = 0; from < count; from += AT_A_TIME) {
		await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count - from) }, (_, i) => open(from + i)));
	}
	return {
		bytes: () => bytes,
		arrivals: (marker) => seen.map((arrived) => arrived[marker]),
		close() {
			for (const stream of sent) stream.destroy();
			agent.destroy();
		},
	};
}
