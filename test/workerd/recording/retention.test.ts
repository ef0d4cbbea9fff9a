import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Env } from "../../../src/env.ts";
import worker from "../../../src/index.ts";
import { insertChat, insertRuns, type StoredRun, uuid } from "../helpers.ts";
import { putRun, registeredChat, report, revisionOf } from "./recorder.ts";

const NOW = new Date("2024-06-30T03:17:00.000Z");

async function onCron(changed: Partial<Env>): Promise<void> {
	const context = createExecutionContext();
	const controller = createScheduledController({ scheduledTime: NOW, cron: "17 * * * *" });
	await worker.scheduled(controller, { ...env, ...changed }, context);
	await waitOnExecutionContext(context);
}

const ended = (completedAt: string): StoredRun => ({ startedAt: null, completedAt });
const running: StoredRun = { status: "running", startedAt: "2020-01-01T00:00:00.000Z", completedAt: null };

async function runsOf(chat: string): Promise<string[]> {
	const { results } = await env.DB.prepare("select id from workflow_runs where chat_id = ?")
		.bind(chat)
		.all<{ id: string }>();
	return results.map(({ id }) => id).sort();
}

it("deletes finished runs after RETENTION_DAYS, in batches, and changes their chats' revisions alone", async () => {
	const [old, young] = [await insertChat(uuid()), await insertChat(uuid())];
	const many = Array.from({ length: 250 }, () => ended("2024-05-30T00:00:00.000Z"));
	const ids = await insertRuns(old, [ended("2024-06-01T00:00:00.000Z"), running, ...many]);
	const kept = await insertRuns(young, [ended("2024-06-29T00:00:00.000Z")]);
	const before = [await revisionOf(old), await revisionOf(young)];

	await onCron({ RETENTION_DAYS: "30" });
	expect(await runsOf(old)).toEqual(ids.slice(0, 2).sort());
	expect(await runsOf(young)).toEqual(kept);
	expect(await revisionOf(old)).not.toBe(before[0]);
	expect(await revisionOf(young)).toBe(before[1]);

	await onCron({ RETENTION_DAYS: "28" });
	expect(await runsOf(old)).toEqual([ids[1]]);
});

it("leaves what the chat's history takes to be added up by the next write", async () => {
	const { chat } = await registeredChat();
	await putRun(chat, uuid(), report({ output: "o".repeat(1_000) }));
	await onCron({ RETENTION_DAYS: "30" });
	await putRun(chat, uuid(), report({ status: "running", completedAt: null }));
	const row = await env.DB.prepare(
		`select history_bytes as counted, (select sum(octet_length(steps) + octet_length(details)
			+ ifnull(octet_length(error), 0) + 300) from workflow_runs where chat_id = chats.id) as added
		from chats where id = ?`,
	)
		.bind(chat)
		.first<{ counted: number; added: number }>();
	expect(row?.counted).toBe(row?.added);
	expect(row?.added).toBeLessThan(400);
});

it("keeps all where RETENTION_DAYS is not set", async () => {
	const chat = await insertChat(uuid());
	const ids = await insertRuns(chat, [ended("2001-01-01T00:00:00.000Z")]);
	await onCron({});
	expect(await runsOf(chat)).toEqual(ids);
	await env.DB.prepare("delete from workflow_runs where chat_id = ?").bind(chat).run();
});

it("finds what is due by an index, without a scan or a sort", async () => {
	const { results } = await env.DB.prepare(
		"explain query plan select id, chat_id from workflow_runs where completed_at < ? order by completed_at limit 100",
	)
		.bind("2024-01-01T00:00:00.000Z")
		.all<{ detail: string }>();
	expect(results.map(({ detail }) => detail)).toEqual([
		"SEARCH workflow_runs USING INDEX workflow_runs_completed (completed_at<?)",
	]);
});

it("fails, and says why in the log, with a RETENTION_DAYS that is no number of days", async () => {
	await expect(onCron({ RETENTION_DAYS: "-1" })).rejects.toThrow("RETENTION_DAYS is not a number from 1 to 36500");
});
