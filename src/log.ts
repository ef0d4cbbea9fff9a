import type { Env } from "./env.ts";
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

export function logInfo(call: Call, line: LogLine): void {
	console.log(JSON.stringify({ level: "info", requestId: call.requestId, ...line }));
	tryToMeasure(call, "info", line);
}

export function logError(call: Call, line: LogLine, error: unknown): void {
	printError(call, line, error);
	tryToMeasure(call, "error", line);
}

function printError({ requestId }: Call, line: LogLine, error: unknown): void {
	console.error(JSON.stringify({ level: "error", requestId, ...line, error: describe(error) }));
}

/** The isolate's bindings whose points fail, and of which the log has said so. */
const unmeasured = new WeakSet<Env>();

/** A point that cannot be written fails nothing. It is said once in an isolate: the log has the lines themselves. */
function tryToMeasure(call: Call, level: "info" | "error", line: LogLine): void {
	try {
		measure(call.env, level, line);
	} catch (error) {
		if (unmeasured.has(call.env)) return;
		unmeasured.add(call.env);
		printError(call, { event: "metrics" }, error);
	}
}

/** An error with its chain of causes, as text. */
function describe(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const own = error.stack ?? `${error.name}: ${error.message}`;
	return error.cause === undefined ? own : `${own}\ncaused by ${describe(error.cause)}`;
}
