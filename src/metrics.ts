import type { Env } from "./env.ts";
import type { LogLine } from "./log.ts";

/*
 * The layout of a data point of Workers Analytics Engine; docs/metrics.md says what each field means. A point is a line
 * of the log, but of its fields only those below: a value out of a closed list, or a number. What is somebody's, or is
 * made up by a caller (an id, a path, a text), is never among them. A new field goes to the end: points that are stored
 * keep theirs.
 */

/** `blob1` and on. */
export const BLOBS = [
	"level",
	"method",
	"route",
	"code",
	"cache",
	"writer",
	"ended",
	"check",
	"doing",
	"limiter",
	"deployment",
] as const;

/** `double1` and on. */
export const DOUBLES = [
	"status",
	"milliseconds",
	"kvMilliseconds",
	"d1Milliseconds",
	"runs",
	"written",
	"together",
	"seconds",
	"events",
	"delayMilliseconds",
	"slowestMilliseconds",
	"deleted",
	"dropped",
	"chats",
	"givenUp",
	"more",
] as const;

/**
 * Writes a line of the log as a data point, where a dataset is bound. It is sampled by `event`: many requests do not
 * crowd out the few errors. Nobody waits for it.
 * @throws what Analytics Engine throws, e.g. where an invocation writes more points than it may. The log has the line
 */
export function measure({ METRICS, CF_VERSION_METADATA }: Env, level: "info" | "error", line: LogLine): void {
	if (!METRICS) return;
	const fields: Readonly<Record<string, unknown>> = { ...line, level, deployment: CF_VERSION_METADATA?.id };
	METRICS.writeDataPoint({
		indexes: [line.event],
		blobs: BLOBS.map((name) => String(fields[name] ?? "")),
		doubles: DOUBLES.map((name) => Number(fields[name] ?? 0)),
	});
}
