import { ServiceError } from "../errors.ts";

/*
 * The bodies that `POST /api/chats/:chatId/ag-ui-events` takes: the events as AG-UI agents send them, as lines, or as
 * one array.
 */

export const EVENTS_MEDIA_TYPE = /^(text\/event-stream|application\/(x-ndjson|ndjson|jsonl|json))\s*(;|$)/i;
export const EVENTS_MEDIA_TYPES = "text/event-stream, application/x-ndjson or application/json";

/** Events in one body. A body of 1,000,000 bytes has room for more only if they say nothing. */
export const MAX_EVENTS = 10_000;

/**
 * The events of a body, whatever each of them is.
 * @param contentType one that `EVENTS_MEDIA_TYPE` fits
 * @throws {ServiceError} INVALID_BODY, with the event's index
 */
export function parseEvents(contentType: string, text: string): unknown[] {
	const json = /^application\/json\s*(;|$)/i.test(contentType);
	const sources = json ? [] : /^text\//i.test(contentType) ? dataOf(text) : linesOf(text).filter((line) => line !== "");
	const events = json
		? parseArray(text)
		: sources.map((source, index) => parse(source, `events.${index}: is not JSON`));
	if (events.length <= MAX_EVENTS) return events;
	throw new ServiceError("INVALID_BODY", `events: there are ${events.length}, and ${MAX_EVENTS} is the most`);
}

function parseArray(text: string): unknown[] {
	const events = parse(text, "The body is not JSON");
	if (Array.isArray(events)) return events;
	throw new ServiceError("INVALID_BODY", "The body must be an array of events");
}

function parse(text: string, refusal: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new ServiceError("INVALID_BODY", `${refusal}: ${(error as Error).message}`);
	}
}

const linesOf = (text: string) => text.split(/\r\n|\n|\r/);

/**
 * The data of each event of a stream (WHATWG HTML, 9.2.6). Unlike there, the last one counts too if no empty line
 * follows it: a body has an end, and a stream that was cut within an event is no JSON.
 */
function dataOf(text: string): string[] {
	const events: string[] = [];
	let data: string[] = [];
	for (const line of [...linesOf(text), ""]) {
		if (line === "") {
			if (data.length > 0) events.push(data.join("\n"));
			data = [];
		}
		const [, value] = /^data(?:: ?(.*))?$/s.exec(line) ?? [];
		if (line === "data" || value !== undefined) data.push(value ?? "");
	}
	return events;
}
