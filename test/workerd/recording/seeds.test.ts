import { expect, it } from "vitest";
import { mergeRuns, RUN_RULES, STEP_RULES } from "#protocol/merge.ts";
import { runsOfEveryField } from "../../../scripts/seed/every-field.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { insertChat, insertRuns, request, runsPath, type StoredRun, signIn, uuid } from "../helpers.ts";

it("the seeds show every field of a run and a step, each where the service itself would put it", async () => {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	const rows = runsOfEveryField(chat) as StoredRun[];
	await insertRuns(
		chat,
		rows.map(({ completedAt = null, ...row }) => ({ ...row, completedAt })),
	);
	const response = await request(runsPath(chat), { headers: { cookie } });
	const { workflowRuns } = (await response.json<{ data: { workflowRuns: WorkflowRun[] } }>()).data;
	const fieldsOf = (all: readonly object[]) => [...new Set(all.flatMap(Object.keys))].sort();
	expect(fieldsOf(workflowRuns)).toEqual(Object.keys(RUN_RULES).sort());
	expect(fieldsOf(workflowRuns.flatMap(({ steps }) => steps))).toEqual(Object.keys(STEP_RULES).sort());
	for (const run of workflowRuns) expect(JSON.stringify(run)).toBe(JSON.stringify(mergeRuns(run, run)));
});
