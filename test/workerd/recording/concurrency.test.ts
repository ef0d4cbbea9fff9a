import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { WorkflowRun } from "../../../src/workflow-runs/schemas.ts";
import { request, uuid } from "../helpers.ts";
import { expectedList } from "./expected.ts";
import { patchRuns, putRun, readList, recording, registeredChat, report } from "./recorder.ts";

beforeAll(() => {
	vi.spyOn(console, "log").mockImplementation(() => {});
});
afterAll(() => vi.restoreAllMocks());

const WRITERS = 50;
const LONG = 60_000;

const numbers = Array.from({ length: WRITERS }, (_, i) => i);
const moment = (second: number) => new Date(Date.UTC(2024, 1, 4, 12, 0, second)).toISOString();

/** What one of many writers of a run knows: its own step, and an end that the others do not agree with. */
const reportBy = (writer: number, chatId: string, id: string) =>
	({
		id,
		chatId,
		...report({
			status: writer % 2 ? "failed" : "completed",
			startedAt: moment(60 - writer),
			completedAt: moment(100 + (writer % 7)),
			...(writer % 2 && { error: { message: `by ${writer}` } }),
			steps: [{ id: `step-${writer}`, status: "running", startedAt: moment(writer), completedAt: null }],
		}),
	}) as WorkflowRun;

describe(`${WRITERS} writers at once on one chat lose nothing`, () => {
	it(
		"of one run",
		async () => {
			const owned = await registeredChat();
			const run = uuid();
			const reports = numbers.map((writer) => reportBy(writer, owned.chat, run));
			const responses = await Promise.all(reports.map((each) => putRun(owned.chat, run, each)));
			const statuses = responses.map(({ status }) => status).sort();
			expect(statuses).toEqual([...Array(WRITERS - 1).fill(200), 201]);

			const { workflowRuns } = await readList(owned, responses.at(-1) as Response);
			expect(workflowRuns).toEqual(expectedList(reports));
			expect(workflowRuns[0]?.steps).toHaveLength(WRITERS);
		},
		LONG,
	);

	it(
		"of a run each",
		async () => {
			const owned = await registeredChat();
			const reports = numbers.map((writer) => reportBy(writer, owned.chat, uuid()));
			const responses = await Promise.all(reports.map((each) => putRun(owned.chat, each.id, each)));
			expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));

			const { workflowRuns } = await readList(owned, responses.at(-1) as Response);
			expect(workflowRuns).toEqual(expectedList(reports));
			expect(workflowRuns).toHaveLength(WRITERS);
		},
		LONG,
	);

	it(
		"of some runs each, named in different orders: none waits for another forever",
		async () => {
			const owned = await registeredChat();
			const runs = Array.from({ length: 5 }, uuid);
			const batches = numbers.map((writer) => {
				const some = runs.filter((_, i) => (writer >> i) % 2 === 0).concat(runs[writer % 5] as string);
				return (writer % 2 ? some : some.reverse()).map((run) => reportBy(writer, owned.chat, run));
			});
			const responses = await Promise.all(batches.map((batch) => patchRuns(owned.chat, batch)));
			const answers = await Promise.all(responses.map((each) => each.json<{ data: { created: string[] } }>()));
			expect(answers.flatMap(({ data }) => data.created).sort()).toEqual(runs.sort());

			const { workflowRuns } = await readList(owned, responses.at(-1) as Response);
			expect(workflowRuns).toEqual(expectedList(batches.flat()));
		},
		LONG,
	);

	it(
		"while the chat is deleted: what was answered with success is there when it comes back, and no more",
		async () => {
			const owned = await registeredChat();
			const path = `/api/chats/${owned.chat}`;
			const reports = numbers.map((writer) => reportBy(writer, owned.chat, uuid()));
			const put = (some: typeof reports) => Promise.all(some.map((each) => putRun(owned.chat, each.id, each)));
			const before = await put(reports.slice(0, 5));
			const [meanwhile, deleted] = await Promise.all([put(reports.slice(5, -5)), request(path, recording("DELETE"))]);
			const after = await put(reports.slice(-5));
			expect(deleted.status).toBe(204);
			const statuses = [...before, ...meanwhile, ...after].map(({ status }) => status);
			expect(new Set(statuses)).toEqual(new Set([201, 404]));
			expect([statuses.slice(0, 5), statuses.slice(-5)]).toEqual([Array(5).fill(201), Array(5).fill(404)]);

			const restored = await request(path, recording("PUT", { userId: owned.user, restore: true }));
			const { workflowRuns } = await readList(owned, restored);
			expect(workflowRuns).toEqual(expectedList(reports.filter((_, writer) => statuses[writer] === 201)));
		},
		LONG,
	);
});
