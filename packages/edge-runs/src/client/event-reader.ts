/** An event of a stream. */
export interface StreamEvent {
	readonly event: string;
	readonly data: string;
	/** The event's own; undefined where it has none. */
	readonly id: string | undefined;
}

/**
 * Reads the text of an event stream as it comes (HTML Living Standard, 9.2.6), and calls `onEvent` with each event that
 * is whole. `retry` is not read: who uses this has a pace of its own.
 */
export function readEvents(onEvent: (event: StreamEvent) => void): (text: string) => void {
	/** What has come of a line that has no end yet. */
	let rest = "";
	let event = "";
	let id: string | undefined;
	let data: string[] = [];

	function readLine(line: string): void {
		if (line === "") {
			if (data.length > 0) onEvent({ event: event || "message", data: data.join("\n"), id });
			[event, id, data] = ["", undefined, []];
			return;
		}
		const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) as RegExpExecArray;
		if (field === "data") data.push(value);
		else if (field === "event") event = value;
		else if (field === "id" && !value.includes("\0")) id = value;
	}

	return (text) => {
		rest += text;
		// A large event comes in many pieces: looking through all of them for each would take the square of its size.
		if (!/[\r\n]/.test(text)) return;
		// A \r at the end may be the first half of a line's end.
		const lines = rest.split(/\r\n|\n|\r(?!$)/);
		rest = lines.pop() as string;
		lines.forEach(readLine);
	};
}
