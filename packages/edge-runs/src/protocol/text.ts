/** Stands at the end of a text that was cut: one character. */
const ELLIPSIS = "…";

/**
 * Text for people, cut to `max` characters (UTF-16 code units), "…" included. Never in the middle of a code point.
 * A text that is short enough stays as it is, so that cutting twice is the same as cutting once.
 */
export function cutText(text: string, max: number): string {
	if (text.length <= max) return text;
	let end = max - ELLIPSIS.length;
	if (isHighSurrogate(text.charCodeAt(end - 1)) && isLowSurrogate(text.charCodeAt(end))) end--;
	return text.slice(0, end) + ELLIPSIS;
}

const isHighSurrogate = (code: number) => code >= 0xd800 && code <= 0xdbff;
const isLowSurrogate = (code: number) => code >= 0xdc00 && code <= 0xdfff;

const utf8 = new TextEncoder();

/** The size of a value as JSON in UTF-8, in bytes. */
export function jsonBytes(value: unknown): number {
	return textBytes(JSON.stringify(value) ?? "");
}

/** The size of a text in UTF-8, in bytes. */
export function textBytes(text: string): number {
	return utf8.encode(text).byteLength;
}
