import { MAX_BODY_BYTES, MAX_RUNS } from "../protocol/limits.ts";
import { textBytes } from "../protocol/text.ts";
import type { IdentifiedReport, WaitingRun } from "./waiting.ts";

/** What the runs of a request may take: a little is left for what is around them. */
const MAX_RUNS_BYTES = MAX_BODY_BYTES * 0.9;

/** What is sent of one run in one request: all that waits of it, unless that is too large. */
export interface Part {
	readonly of: WaitingRun;
	readonly report: IdentifiedReport;
	readonly json: string;
}

/**
 * Takes as many runs as one request holds, or one run that needs several.
 * @param waiting those that are taken are no longer in it; not empty
 * @returns the parts of each request
 */
export function takeBatches(waiting: Map<string, WaitingRun>): Part[][] {
	const batch: Part[] = [];
	let room = MAX_RUNS_BYTES;
	for (const [id, run] of waiting) {
		const report = run.toReport();
		const json = JSON.stringify(report);
		room -= textBytes(json);
		if (room < 0 && batch.length > 0) break;
		waiting.delete(id);
		if (room < 0) return split(run, report).map((part) => [part]);
		run.partsLeft = 1;
		batch.push({ of: run, report, json });
		if (batch.length === MAX_RUNS) break;
	}
	return [batch];
}

/** A run's steps may be reported apart: those that are left out stay as they were. */
function split(run: WaitingRun, report: IdentifiedReport): Part[] {
	const { steps = [], ...head } = report;
	const headBytes = textBytes(JSON.stringify(head));
	const groups: (typeof steps)[] = [[]];
	let room = MAX_RUNS_BYTES - headBytes;
	for (const step of steps) {
		const bytes = textBytes(JSON.stringify(step)) + 1;
		if (bytes > room && groups.at(-1)?.length) {
			groups.push([]);
			room = MAX_RUNS_BYTES - headBytes;
		}
		groups.at(-1)?.push(step);
		room -= bytes;
	}
	run.partsLeft = groups.length;
	return groups.map((steps) => partOf(run, { ...head, steps }));
}

export function partOf(run: WaitingRun, report: IdentifiedReport): Part {
	return { of: run, report, json: JSON.stringify(report) };
}
