/** A line of a file. */
export interface Line {
	/** From 1, as editors count. */
	readonly number: number;
	/** Without its line break; null if it is longer than it may be, or not UTF-8. */
	readonly text: string | null;
	/** Where in the file it ends, in bytes. */
	readonly end: number;
}

const LINE_FEED = 0x0a;

/**
 * Splits bytes into lines, holding no more than one of them. Lines end with LF or CRLF; the last one may go without.
 * @param maxBytes longer lines are skipped
 */
export async function* readLines(bytes: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
	let number = 0;
	let end = 0;
	let parts: Uint8Array[] = [];
	let length = 0;

	const take = (part: Uint8Array) => {
		length += part.length;
		// The bytes of a line that is too long are counted, but not kept.
		if (length <= maxBytes) parts.push(part);
		else parts = [];
	};
	const finish = (): Line => {
		const line = { number: ++number, text: length <= maxBytes ? decode(parts) : null, end };
		parts = [];
		length = 0;
		return line;
	};

	for await (const chunk of bytes) {
		let from = 0;
		for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
			take(chunk.subarray(from, at));
			end += at + 1 - from;
			yield finish();
			from = at + 1;
		}
		take(chunk.subarray(from));
		end += chunk.length - from;
	}
	if (length > 0) yield finish();
}

function decode(parts: readonly Uint8Array[]): string | null {
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(Buffer.concat(parts)).replace(/\r$/, "");
	} catch {
		return null;
	}
}
