import { textBytes } from "../protocol/text.ts";
import type { JsonValue } from "../protocol/types.ts";

const TOO_LARGE = Symbol("too large");

export type Bounded =
	| { readonly is: "json"; readonly value: JsonValue; readonly length: number }
	| { readonly is: "nothing" | "too large" | "not json" };

/**
 * A copy of a value as JSON would carry it, so that later changes to it are none of the report's. It gives up as soon as
 * it is known to be too large: a huge value costs no more than one of the limit. Never throws.
 * @param maxBytes of its JSON in UTF-8
 */
export function boundedJson(value: unknown, maxBytes: number): Bounded {
	let spent = 0;
	try {
		const text = JSON.stringify(value, (key, member: unknown) => {
			spent += key.length + (typeof member === "string" ? member.length : 1);
			if (spent > maxBytes) throw TOO_LARGE;
			return member;
		}) as string | undefined;
		if (text === undefined) return { is: "nothing" };
		if (textBytes(text) > maxBytes) return { is: "too large" };
		return { is: "json", value: JSON.parse(text), length: text.length };
	} catch (error) {
		return { is: error === TOO_LARGE ? "too large" : "not json" };
	}
}
