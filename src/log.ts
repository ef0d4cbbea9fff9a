import { measure } from "./metrics.ts";
import type { Scope } from "./scope.ts";

/** The call that a line is about. */
type Call = Pick<Scope, "env" | "requestId">;

/** What a structured JSON line of the Worker's log says. */
export type LogLine = { readonly event: string } & Readonly<Record<string, unknown>>;

/*
 * No cookie, token or secret is ever passed to these. Paths are logged without their query. Each line is a data point
 * too, of those of its fields that `metrics.ts` names.
 */

export function logInfo({ env, requestId }: Call, line: LogLine): void {
	console.log(JSON.stringify({ level: "info", requestId, ...line }));
	measure(env, "info", line);
}

export function logError({ env, requestId }: Call, line: LogLine, error: unknown): void {
	console.error(JSON.stringify({ level: "error", requestId, ...line, error: describe(error) }));
	measure(env, "error", line);
}

/** An error with its chain of causes, as text. */
function describe(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const own = error.stack ?? `${error.name}: ${error.message}`;
	return error.cause === undefined ? own : `${own}\ncaused by ${describe(error.cause)}`;
}
