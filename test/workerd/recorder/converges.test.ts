import { exports } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { mergeRuns } from "#protocol/merge.ts";
import type { RunReport } from "#recorder/index.ts";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { reportOf } from "../recording/reports.ts";
import { list, overHttp, registeredChat, uuid } from "./stage.ts";

const workflowId = uuid();

/** What the network does to the first requests, in turn. Then it mends: pauses double, and the test is to end. */
const network = fc.array(fc.constantFrom("pass", "lost", "answer lost", "bad gateway"), { maxLength: 8 });

it("whatever a network loses or repeats, a run ends as the merge of all that was reported", async () => {
	const chat = await registeredChat();
	const reports = fc.array(reportOf(workflowId), { minLength: 1, maxLength: 12 });
	await fc.assert(
		fc.asyncProperty(reports, fc.infiniteStream(fc.boolean()), network, async (reports, waits, network) => {
			const fates = [...network];
			const id = uuid();
			const { recorder, errors } = overHttp(undefined, {
				fetch: async (input, init) => {
					const fate = fates.shift();
					if (fate === "lost") throw new TypeError("network down");
					if (fate === "bad gateway") return new Response("<h1>Bad gateway</h1>", { status: 502 });
					const response = await exports.default.fetch(new Request(input, init));
					if (fate === "answer lost") throw new TypeError("network down");
					return response;
				},
			});
			for (const report of reports) {
				recorder.report({ chatId: chat.chat, run: { ...report, id } as RunReport["run"] });
				if (waits.next().value) await new Promise((resolve) => setTimeout(resolve));
			}
			await recorder.flush();
			// Metrics beyond their number are told, and left out by the merge, too.
			expect(errors.filter(({ kind }) => kind !== "unreachable" && kind !== "invalid")).toEqual([]);
			const whole = reports
				.map((report): WorkflowRun => ({ ...report, id, chatId: chat.chat }))
				.reduce((a, b) => mergeRuns(a, b), { ...(reports[0] as WorkflowRun), id, chatId: chat.chat });
			expect((await list(chat)).find((run) => run.id === id)).toEqual(whole);
		}),
		{ numRuns: 25 },
	);
});
