import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readEvents } from "#client/event-reader.ts";

/** What an event stream is made of, and what is nearly that. */
const piece = fc.constantFrom(
	..."\r\n|\n|\r|: |:|data|data:|data: |event: run|event:end|id: a|id:|id|retry: 5|heartbeat|x|  |ä€𝄞|{}|\0".split("|"),
);

function chunksOf(text: string, sizes: readonly number[]): string[] {
	const chunks: string[] = [];
	for (let at = 0, i = 0; at < text.length; i += 1) {
		const size = sizes[i % sizes.length] as number;
		chunks.push(text.slice(at, at + size));
		at += size;
	}
	return chunks;
}

it("reads any stream as eventsource-parser does, however it is cut into chunks", () => {
	const streams = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
	const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });
	fc.assert(
		fc.property(streams, sizes, (start, cuts) => {
			// An end that is whole: what comes of one that is not, may come with the next chunk.
			const text = `${start}\ndata: last\n\n`;
			const expected: unknown[] = [];
			createParser({
				onEvent: ({ event = "message", data, id }) => expected.push({ event: event || "message", data, id }),
			}).feed(text);
			const seen: unknown[] = [];
			const feed = readEvents((event) => seen.push(event));
			for (const chunk of chunksOf(text, cuts)) feed(chunk);
			expect(seen).toEqual(expected);
		}),
		{ numRuns: 2_000 },
	);
});
