/*
 * The fields of AG-UI events, checked as far as they are used. Pure.
 */

/** An event that is not what the protocol says. */
export class AgUiEventError extends Error {
	override readonly name = "AgUiEventError";
}

export type Fields = Record<string, unknown>;

/** It becomes the run's `externalId`. */
export const MAX_RUN_ID = 200;
/** Of what becomes an id or a name; longer than any that makes sense. */
const MAX_TEXT = 4_000;

export const isObject = (value: unknown): value is Fields =>
	typeof value === "object" && value !== null && !Array.isArray(value);

export function text(event: Fields, field: string, max = MAX_TEXT, min = 1): string {
	const value = event[field];
	if (typeof value === "string" && value.length >= min && value.length <= max) return value;
	const size = Number.isFinite(max) ? ` of ${min} to ${max} characters` : "";
	throw new AgUiEventError(`${field}: must be a string${size}`);
}

export function optionalText(event: Fields, field: string): string | undefined {
	return event[field] === undefined || event[field] === null ? undefined : text(event, field);
}

/** 9999-12-31T23:59:59.999Z: what a timestamp of four digits can say. */
const MAX_TIME = 253_402_300_799_999;

export function timestamp(event: Fields): number | undefined {
	const value = event["timestamp"];
	if (value === undefined || value === null) return undefined;
	if (typeof value === "number" && value >= 0 && value <= MAX_TIME) return Math.trunc(value);
	throw new AgUiEventError("timestamp: must be a number of milliseconds since 1970");
}
