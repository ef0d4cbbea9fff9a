import { textBytes } from "../protocol/text.ts";
import type { JsonValue } from "../protocol/types.ts";

export type Bounded =
	| { readonly is: "json"; readonly value: JsonValue; readonly length: number }
	| { readonly is: "nothing" | "too large" | "not json" };

/** As deep as the service takes an output. Deeper values are circles, or as good as. */
const MAX_DEPTH = 100;

/**
 * A copy of a value as JSON would carry it, so that later changes of the value do not change the report. A huge value
 * costs no more time than a value at the limit. Never throws.
 * @param maxBytes of its JSON in UTF-8
 */
export function boundedJson(value: unknown, maxBytes: number): Bounded {
	try {
		if (spend(value, maxBytes, MAX_DEPTH) < 0) return { is: "too large" };
		const text = JSON.stringify(value) as string | undefined;
		if (text === undefined) return { is: "nothing" };
		if (text.length > maxBytes || textBytes(text) > maxBytes) return { is: "too large" };
		return { is: "json", value: JSON.parse(text), length: text.length };
	} catch {
		// A BigInt, a circle, a getter or `toJSON` that throws.
		return { is: "not json" };
	}
}

/** @returns what is left of the room when a value is written, or less than 0: it is looked at no longer then */
function spend(value: unknown, room: number, depth: number): number {
	if (typeof value === "string") return room - value.length;
	if (typeof value !== "object" || value === null) return room - 1;
	if (ArrayBuffer.isView(value)) return room - value.byteLength;
	if (depth === 0) return -1;
	let left = room - 2;
	if (Array.isArray(value)) {
		for (let index = 0; index < value.length && left >= 0; index++) left = spend(value[index], left - 1, depth - 1);
	} else {
		for (const key in value) {
			left = spend((value as Record<string, unknown>)[key], left - key.length - 3, depth - 1);
			if (left < 0) break;
		}
	}
	return left;
}
