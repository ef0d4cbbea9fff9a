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

/** A body that `listBody` made, without its envelope: `{"workflowRuns":[…]}`. */
export function listData(body: ArrayBuffer): string {
	return new TextDecoder().decode(body).slice('{"data":'.length, -"}".length);
}

/** The runs of a body that `listBody` made. */
export function parseList(body: ArrayBuffer): WorkflowRun[] {
	return (JSON.parse(listData(body)) as { workflowRuns: WorkflowRun[] }).workflowRuns;
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
