/** One structured JSON line to the Worker's log. */
export type LogLine = { readonly requestId: string; readonly event: string } & Readonly<Record<string, unknown>>;

/*
 * No cookie, token or secret is ever passed to these. Paths are logged without their query.
 */

export function logInfo(line: LogLine): void {
	console.log(JSON.stringify({ level: "info", ...line }));
}

export function logError(line: LogLine, error: unknown): void {
	console.error(JSON.stringify({ level: "error", ...line, error: describe(error) }));
}

/** An error with its chain of causes, as text. */
function describe(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const own = error.stack ?? `${error.name}: ${error.message}`;
	return error.cause === undefined ? own : `${own}\ncaused by ${describe(error.cause)}`;
}
