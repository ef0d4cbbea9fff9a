import { encodeHex } from "../hex";
import type { RunRow } from "./read";

/** JSON as it is served, and its entity tag, with its quotes (RFC 9110, 8.8.3). */
export interface JsonBody {
	/** In UTF-8. */
	readonly body: ArrayBuffer;
	readonly etag: string;
}

/** The body of a list: all of a chat's runs, or a page with the cursor of the next one (null: this is the last). */
export function listBody(runs: readonly RunRow[], nextCursor?: string | null): Promise<JsonBody> {
	let json = '{"data":{"workflowRuns":[';
	let separator = "";
	for (const run of runs) {
		json += separator + runJson(run);
		separator = ",";
	}
	json += "]";
	if (nextCursor !== undefined) json += `,"nextCursor":${quoted(nextCursor)}`;
	return jsonBody(`${json}}}`);
}

/** What `listBody` made, without its envelope: `{"workflowRuns":[…]}`. */
export function listData(body: ArrayBuffer): string {
	return new TextDecoder().decode(body).slice('{"data":'.length, -"}".length);
}

/** The body of one run. */
export function runBody(run: RunRow): Promise<JsonBody> {
	return jsonBody(`{"data":{"workflowRun":${runJson(run)}}}`);
}

/**
 * A run as JSON text, in the shape of `WorkflowRun`. Its columns hold the text that is served, and
 * the table's CHECKs let nothing else in, so it is put together without parsing or escaping.
 */
function runJson(run: RunRow): string {
	return (
		`{"id":"${run.id}","chatId":"${run.chatId}","workflowId":"${run.workflowId}","status":"${run.status}"` +
		`,"startedAt":${quoted(run.startedAt)},"completedAt":${quoted(run.completedAt)}` +
		`${run.error === null ? "" : `,"error":${run.error}`},"steps":${run.steps}}`
	);
}

function quoted(text: string | null): string {
	return text === null ? "null" : `"${text}"`;
}

/** The tag is a digest of the bytes, so that equal tags mean equal bodies whoever wrote them, and however. */
async function jsonBody(json: string): Promise<JsonBody> {
	const body = new TextEncoder().encode(json).buffer as ArrayBuffer;
	return { body, etag: `"${encodeHex(await crypto.subtle.digest("SHA-256", body), 32)}"` };
}
