import { MAX_MESSAGE, MAX_METRICS, MAX_NAME, MAX_OUTPUT_BYTES } from "../protocol/limits.ts";
import { compareText } from "../protocol/order.ts";
import { isEnded } from "../protocol/state.ts";
import { cutText } from "../protocol/text.ts";
import type { JsonValue, WorkflowRunActivity, WorkflowRunMetrics, WorkflowRunStatus } from "../protocol/types.ts";
import { boundedJson } from "./bounded-json.ts";

/*
 * Turns any given value into a report that the service accepts and the merge can compare. Parts that cannot be kept are
 * left out and named. Pure: `now` is passed in.
 */

export type Given = Readonly<Record<string, unknown>>;

/** One report's way through here. */
export interface Cleaning {
	/** What time it is, where a time is missing that must be there. In milliseconds. */
	readonly now: number;
	/** What was left out, and why. */
	readonly leftOut: string[];
	/** About how many bytes the kept texts and outputs take. */
	weight: number;
}

/**
 * The fields that runs and steps share. Those that say nothing are not there.
 * @param status `given`'s, which the caller has checked
 */
export function cleanShared(given: Given, status: WorkflowRunStatus, path: string, cleaning: Cleaning) {
	const ended = isEnded(status);
	let startedAt = cleanTime(given["startedAt"], `${path}startedAt`, cleaning);
	let completedAt = ended ? cleanTime(given["completedAt"], `${path}completedAt`, cleaning) : null;
	if (ended) completedAt ??= new Date(cleaning.now).toISOString();
	// Clocks disagree, and the service refuses an end before its start.
	if (startedAt !== null && completedAt !== null && startedAt > completedAt) startedAt = completedAt;
	const error = cleanError(given["error"], cleaning);
	const output = cleanOutput(given["output"], `${path}output`, cleaning);
	const attempt = cleanAttempt(given["attempt"], `${path}attempt`, cleaning);
	const activity = ended ? undefined : cleanActivity(given["activity"], cleaning);
	const metrics = cleanMetrics(given["metrics"], `${path}metrics`, cleaning);
	return {
		status,
		startedAt,
		completedAt,
		...(error && { error }),
		...(output && { output: output.value }),
		...(attempt !== undefined && { attempt }),
		...(activity && { activity }),
		...(metrics && { metrics }),
	};
}

function cleanError(given: unknown, cleaning: Cleaning): { message: string } | undefined {
	if (given === undefined || given === null) return undefined;
	const message = cutText(String((given as { message?: unknown }).message ?? ""), MAX_MESSAGE);
	cleaning.weight += message.length;
	return { message };
}

function cleanOutput(given: unknown, path: string, cleaning: Cleaning): { value: JsonValue } | undefined {
	if (given === undefined) return undefined;
	const bounded = boundedJson(given, MAX_OUTPUT_BYTES);
	if (bounded.is === "json") {
		cleaning.weight += bounded.length;
		return { value: bounded.value };
	}
	if (bounded.is !== "nothing") cleaning.leftOut.push(`${path}: is ${bounded.is}`);
	return undefined;
}

function cleanAttempt(given: unknown, path: string, { leftOut }: Cleaning): number | undefined {
	if (typeof given === "number" && Number.isSafeInteger(given) && given >= 1) return given;
	if (given !== undefined) leftOut.push(`${path}: is not a whole number from 1`);
	return undefined;
}

function cleanActivity(given: unknown, cleaning: Cleaning): WorkflowRunActivity | undefined {
	if (typeof given !== "object" || given === null) return undefined;
	const { at, message, waiting, progress } = given as Given;
	const text = cutText(String(message ?? ""), MAX_MESSAGE);
	cleaning.weight += text.length;
	return {
		at: cleanTime(at, "activity.at", cleaning) ?? new Date(cleaning.now).toISOString(),
		message: text,
		...(typeof waiting === "boolean" && { waiting }),
		...(typeof progress === "number" && !Number.isNaN(progress) && { progress: Math.min(Math.max(progress, 0), 1) }),
	};
}

function cleanMetrics(given: unknown, path: string, cleaning: Cleaning): WorkflowRunMetrics | undefined {
	if (typeof given !== "object" || given === null) return undefined;
	const entries = Object.entries(given);
	const kept = entries.filter(([name, value]) => {
		const isKept = name.length <= MAX_NAME && typeof value === "number" && Number.isFinite(value);
		if (!isKept && value !== undefined) cleaning.leftOut.push(`${path}.${cutText(name, MAX_NAME)}`);
		return isKept;
	});
	if (kept.length === 0 && entries.length > 0) return undefined;
	for (const [name] of kept) cleaning.weight += name.length;
	if (kept.length <= MAX_METRICS) return Object.fromEntries(kept);
	// The same that the merge would keep.
	kept.sort(([a], [b]) => compareText(a, b));
	cleaning.leftOut.push(`${path}: are more than ${MAX_METRICS}`);
	return Object.fromEntries(kept.slice(0, MAX_METRICS));
}

const SERVED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The one form that the merge compares as text: ISO 8601, UTC, milliseconds. A Date is taken too. */
function cleanTime(given: unknown, path: string, { leftOut }: Cleaning): string | null {
	if (given === undefined || given === null) return null;
	if (typeof given === "string" && SERVED.test(given) && !Number.isNaN(Date.parse(given))) return given;
	const time = given instanceof Date ? given.getTime() : typeof given === "string" ? Date.parse(given) : Number.NaN;
	// Beyond it no Date is valid. Years of more than four digits are not served.
	const served = Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : "";
	if (SERVED.test(served)) return served;
	leftOut.push(`${path}: is not an ISO 8601 date and time`);
	return null;
}
