import { beforeAll, describe, expect, it } from "vitest";
import type { ErrorBody } from "../../../src/errors.ts";
import { insertChat, request, runsPath, uuid } from "../helpers.ts";
import { INVALID_REPORTS } from "./invalid-reports.ts";
import { type OwnedChat, patchRuns, putRun, recording, registeredChat, report, wholeDatabase } from "./recorder.ts";

let owned: OwnedChat;
/** A run of the chat, and one of another chat. */
let run: string;
let foreign: string;

beforeAll(async () => {
	owned = await registeredChat();
	[run, foreign] = [uuid(), uuid()];
	await putRun(owned.chat, run, report({ steps: [{ id: "old", status: "pending" }] }));
	await putRun((await registeredChat()).chat, foreign, report());
});

/** Fails unless the request is refused in these words, and leaves D1 as it was. */
async function expectRefusal(send: () => Promise<Response>, status: number, code: string, message: string | RegExp) {
	const before = await wholeDatabase();
	const response = await send();
	const body = await response.json<ErrorBody>();
	expect([response.status, body.code]).toEqual([status, code]);
	expect(body.message).toMatch(message);
	expect(response.headers.get("cache-control")).toBe("no-store");
	expect(await wholeDatabase()).toBe(before);
}

/** A message that starts with the field, if one is to blame, and goes on with why. */
const saying = (field: string, why: RegExp) =>
	new RegExp(`${field && `^${field.replaceAll(".", "\\.")}: `}.*${why.source}`);

describe("a report is refused, and nothing is written:", () => {
	it.each(INVALID_REPORTS)("%s", async (_, change, field, why) => {
		for (const id of [run, uuid()]) {
			await expectRefusal(() => putRun(owned.chat, id, report(change)), 400, "INVALID_BODY", saying(field, why));
		}
		const inList = field ? `workflowRuns.1.${field}` : "workflowRuns.1";
		const three = [{}, change, {}].map((each) => ({ id: uuid(), ...report(each) }));
		await expectRefusal(() => patchRuns(owned.chat, three), 400, "INVALID_BODY", saying(inList, why));
	});

	it.each<[string, unknown, RegExp]>([
		["null", null, /expected object/],
		["an array", [], /expected object/],
		["a string", '"completed"', /expected object/],
		["nothing of a run", {}, /^workflowId: /],
		["an envelope of many", { data: { workflowRuns: [] } }, /workflowId|data/],
		["an id that is none", report({ id: "run-uuid-1" }), /^id: /],
		["another run's id", report({ id: uuid() }), /^id: is not the one in the path/],
		["another chat's id", report({ chatId: uuid() }), /^chatId: is not the one in the path/],
	])("as a PUT: %s", async (_, sent, message) => {
		await expectRefusal(() => putRun(owned.chat, run, sent), 400, "INVALID_BODY", message);
	});
});

describe("a run is in conflict with what is stored, and nothing is written:", () => {
	it("another workflowId for the same run", async () => {
		const sent = report({ workflowId: uuid() });
		const message = new RegExp(`${run}.*workflowId`);
		await expectRefusal(() => putRun(owned.chat, run, sent), 409, "RUN_CONFLICT", message);
		const three = [
			{ id: uuid(), ...report() },
			{ id: run, ...sent },
			{ id: uuid(), ...report() },
		];
		await expectRefusal(() => patchRuns(owned.chat, three), 409, "RUN_CONFLICT", message);
	});

	it("a run id that is in use under another chat", async () => {
		const message = new RegExp(`${foreign}.*another chat`);
		await expectRefusal(() => putRun(owned.chat, foreign, report()), 409, "RUN_CONFLICT", message);
		const three = [uuid(), foreign, uuid()].map((id) => ({ id, ...report() }));
		await expectRefusal(() => patchRuns(owned.chat, three), 409, "RUN_CONFLICT", message);
	});

	it("two reports of one new run that do not agree on the workflow", async () => {
		const id = uuid();
		const two = [
			{ id, ...report() },
			{ id, ...report({ workflowId: uuid() }) },
		];
		await expectRefusal(() => patchRuns(owned.chat, two), 409, "RUN_CONFLICT", id);
	});
});

describe("a list of reports is refused, and nothing is written:", () => {
	const good = () => ({ id: uuid(), ...report() });

	it.each<[string, unknown, RegExp]>([
		["no list", {}, /^workflowRuns: /],
		["an empty list", { workflowRuns: [] }, /^workflowRuns: /],
		["101 reports", { workflowRuns: Array.from({ length: 101 }, good) }, /^workflowRuns: .*100/],
		["a report without an id", { workflowRuns: [good(), report()] }, /^workflowRuns\.1\.id: /],
		[
			"a report of another chat",
			{ workflowRuns: [good(), { ...good(), chatId: uuid() }] },
			/^workflowRuns\.1\.chatId: /,
		],
		["an envelope around something else", { data: { workflowRun: good() } }, /workflowRun/],
	])("%s", async (_, body, message) => {
		const send = () => request(runsPath(owned.chat), recording("PATCH", body));
		await expectRefusal(send, 400, "INVALID_BODY", message);
	});
});

describe("a chat that is not there takes no report:", () => {
	it.each(["PUT", "PATCH"])("by %s", async (method) => {
		const deleted = await insertChat(uuid(), { deletedAt: "2024-02-05T00:00:00.000Z" });
		const send = (chat: string, id = uuid()) =>
			method === "PUT" ? putRun(chat, id, report()) : patchRuns(chat, [{ id, ...report() }]);
		for (const chat of [uuid(), deleted]) {
			await expectRefusal(() => send(chat), 404, "CHAT_NOT_FOUND", "Chat does not exist");
		}
		await expectRefusal(() => send("x"), 400, "INVALID_CHAT_ID", "Invalid chat ID format");
	});

	it("nor a run whose id is none", async () => {
		await expectRefusal(
			() => putRun(owned.chat, "x", report()),
			400,
			"INVALID_RUN_ID",
			"Invalid workflow run ID format",
		);
	});
});
