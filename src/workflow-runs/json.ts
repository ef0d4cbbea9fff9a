import { type SQL, sql } from "drizzle-orm";
import { workflowRuns } from "../db/schema.ts";
import { type JsonBody, jsonBody } from "../etag.ts";
import type { WorkflowRun } from "./schemas.ts";

/**
 * The body of a list: all of a chat's runs, or a page with the cursor of the next one (null: this is the last).
 * @param runs each as `runJson` gives it
 */
export function listBody(runs: readonly string[], nextCursor?: string | null): Promise<JsonBody> {
	const next = nextCursor === undefined ? "" : `,"nextCursor":${JSON.stringify(nextCursor)}`;
	return jsonBody(`{"data":{"workflowRuns":[${runs.join()}]${next}}}`);
}

/** A body that `listBody` made, without its envelope: `{"workflowRuns":[…]}`, in UTF-8. */
export function listBytes(body: ArrayBuffer): Uint8Array {
	return new Uint8Array(body).subarray('{"data":'.length, -"}".length);
}

/** The same as text. */
const listData = (body: ArrayBuffer) => new TextDecoder().decode(listBytes(body));

/** The runs of a body that `listBody` made. */
export function parseList(body: ArrayBuffer): WorkflowRun[] {
	return (JSON.parse(listData(body)) as { workflowRuns: WorkflowRun[] }).workflowRuns;
}

/**
 * The runs of a body that `listBody` made, each as the text that it is there. It is not parsed: a history of 24 MB would
 * take several times that as objects, and an isolate has 128 MB.
 */
export function splitList(body: ArrayBuffer): string[] {
	const text = listData(body).slice('{"workflowRuns":['.length, -"]}".length);
	const runs: string[] = [];
	let depth = 0;
	let start = 0;
	for (let at = 0; at < text.length; at++) {
		const char = text[at] as string;
		if (char === '"') at = endOfString(text, at);
		else if (char === "{" || char === "[") depth++;
		else if (char === "}" || char === "]") depth--;
		else if (char === "," && depth === 0) {
			runs.push(text.slice(start, at));
			start = at + 1;
		}
	}
	if (start < text.length) runs.push(text.slice(start));
	return runs;
}

/** Where the JSON string that begins at a place ends. */
function endOfString(text: string, start: number): number {
	let end = start + 1;
	while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
	return end;
}

/** The body of one run. */
export function runBody(run: string): Promise<JsonBody> {
	return jsonBody(`{"data":{"workflowRun":${run}}}`);
}

/** SQL for a run's optional fields, as JSON text of an object. Empty if the column holds anything else. */
export const detailsJson: SQL<string> = sql`case when ${workflowRuns.details} glob '{"*}'
	and json_valid(${workflowRuns.details}) then ${workflowRuns.details} else '{}' end`;

/** The same with commas, to stand among other fields. */
const detailsFields = sql`ifnull(',' || nullif(substr(${detailsJson}, 2, length(${detailsJson}) - 2), ''), '')`;

const jsonWith = (
	steps: SQL,
): SQL<string> => sql`'{"id":"' || ${workflowRuns.id} || '","chatId":"' || ${workflowRuns.chatId}
	|| '","workflowId":"' || ${workflowRuns.workflowId} || '","status":"' || ${workflowRuns.status}
	|| '","startedAt":' || ifnull('"' || ${workflowRuns.startedAt} || '"', 'null')
	|| ',"completedAt":' || ifnull('"' || ${workflowRuns.completedAt} || '"', 'null')
	|| ifnull(',"error":' || ${workflowRuns.error}, '') || ${detailsFields} || ',"steps":' || ${steps} || '}'`;

/**
 * SQL for a run as JSON text, in the shape of `WorkflowRun`. Its columns hold the text that is served, and the table's
 * CHECKs let nothing else in. So it is put together without parsing or escaping. D1 does it, and then sends one column
 * for each run instead of eight.
 */
export const runJson = jsonWith(sql`${workflowRuns.steps}`);

/** The same without reading the steps. */
export const runJsonWithoutSteps = jsonWith(sql`'[]'`);
