import type { RunRow } from "./read";

/**
 * A run as JSON text, in the shape of `WorkflowRun`. Its columns hold the text that is served, and
 * the table's CHECKs let nothing else in, so it is put together without parsing or escaping.
 */
export function runJson(run: RunRow): string {
	return (
		`{"id":"${run.id}","chatId":"${run.chatId}","workflowId":"${run.workflowId}","status":"${run.status}"` +
		`,"startedAt":${quoted(run.startedAt)},"completedAt":${quoted(run.completedAt)}` +
		`${run.error === null ? "" : `,"error":${run.error}`},"steps":${run.steps}}`
	);
}

/** Runs as a JSON array. */
export function runsJson(runs: readonly RunRow[]): string {
	let json = "[";
	for (const run of runs) json += (json.length > 1 ? "," : "") + runJson(run);
	return `${json}]`;
}

function quoted(text: string | null): string {
	return text === null ? "null" : `"${text}"`;
}
