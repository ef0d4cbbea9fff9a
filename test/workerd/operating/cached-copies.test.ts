import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createReadToken } from "#recorder/index.ts";
import { SECRETS } from "../access/read-tokens.ts";
import { requestWith, runsPath, uuid } from "../helpers.ts";
import { age, type KeptHistory, keep, keptHistory } from "../reads/kept.ts";
import { type OwnedChat, putRun, registeredChat, report } from "../recording/recorder.ts";
import { type Hooks, watchBindings } from "../watch-bindings.ts";
import { eraseChat, eraseUser } from "./operator.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

/** D1 is down. */
const DOWN: Hooks = { onD1: () => Promise.reject(new Error("D1 DB is overloaded")) };

async function read({ chat, cookie }: OwnedChat, hooks: Hooks = {}, headers: Record<string, string> = { cookie }) {
	const { calls, ...bindings } = watchBindings(hooks);
	const response = await requestWith(bindings, runsPath(chat), { headers });
	return { status: response.status, cache: response.headers.get("cache-status"), text: await response.text(), calls };
}

/** A chat whose history is kept in this data centre, as it was before it is erased. */
async function keptChat(owner?: OwnedChat) {
	const owned = await registeredChat(owner);
	await putRun(owned.chat, uuid(), report());
	expect((await read(owned)).status).toBe(200);
	return { owned, kept: (await keptHistory(owned.chat)) as KeptHistory };
}

const ERASURES = [
	["its user", ({ user }: OwnedChat) => eraseUser(user)],
	["it alone", ({ chat }: OwnedChat) => eraseChat(chat)],
] as const;

describe.each(ERASURES)("a copy of a chat, when %s is erased", (_, erase) => {
	it("is deleted in this data centre", async () => {
		const { owned } = await keptChat();
		await erase(owned);
		expect(await keptHistory(owned.chat)).toBeNull();
		expect((await read(owned, DOWN)).status).toBe(503);
	});

	it("of another data centre is not served while D1 fails, however young it is", async () => {
		vi.spyOn(console, "error").mockImplementation(() => {});
		const { owned, kept } = await keptChat();
		await erase(owned);
		await keep(owned.chat, kept);
		for (const seconds of [2, 600]) {
			await age(owned.chat, { checked: seconds, read: seconds });
			const answer = await read(owned, DOWN);
			expect(answer.status).toBe(503);
			expect(answer.text).not.toContain("workflowRuns");
		}
		const token = await createReadToken({ secret: SECRETS[0], userId: owned.user });
		expect((await read(owned, DOWN, { authorization: `Bearer ${token}` })).status).toBe(503);
		// Nor what a stream would begin with.
		const { calls: __, ...bindings } = watchBindings(DOWN);
		const headers = { cookie: owned.cookie };
		expect((await requestWith(bindings, `${runsPath(owned.chat)}/stream`, { headers })).status).toBe(503);
	});

	it("of another data centre is served for the rest of the fresh window at most, and then forgotten", async () => {
		const { owned, kept } = await keptChat();
		await erase(owned);
		await keep(owned.chat, { ...kept, checkedAt: Date.now() });
		expect(await read(owned)).toMatchObject({ status: 200, cache: "edge-runs; hit" });
		await age(owned.chat, { checked: 2 });
		expect((await read(owned)).status).toBe(404);
		expect(await keptHistory(owned.chat)).toBeNull();
	});
});

it("other copies are served while D1 fails, at the cost of two KV reads then and of none else", async () => {
	vi.spyOn(console, "error").mockImplementation(() => {});
	const { owned } = await keptChat();
	const { owned: sibling } = await keptChat(owned);
	await eraseChat(owned.chat);
	await age(sibling.chat, { checked: 2 });
	const usual = await read(sibling);
	expect(usual.calls.kv.filter((key) => key.startsWith("erased"))).toEqual([]);
	await age(sibling.chat, { checked: 2 });
	const stale = await read(sibling, DOWN);
	expect(stale).toMatchObject({ status: 200, cache: expect.stringContaining("stale-if-error") });
	expect(stale.calls.kv.filter((key) => key.startsWith("erased")).sort()).toEqual([
		`erased-chat-${sibling.chat}`,
		expect.stringMatching(/^erased-user-[0-9a-f]{64}$/),
	]);
});

it("none is served while both D1 and KV fail: nobody can say whether it was erased", async () => {
	vi.spyOn(console, "error").mockImplementation(() => {});
	const { owned } = await keptChat();
	const token = await createReadToken({ secret: SECRETS[0], userId: owned.user });
	const headers = { authorization: `Bearer ${token}` };
	await age(owned.chat, { checked: 2 });
	expect((await read(owned, DOWN, headers)).status).toBe(200);
	await age(owned.chat, { checked: 2 });
	const onKv = () => Promise.reject(new Error("KV GET failed: 500"));
	expect((await read(owned, { ...DOWN, onKv }, headers)).status).toBe(503);
});

it("marks end by themselves, after the last copy, and name nobody", async () => {
	const { owned } = await keptChat();
	const marks = async () => (await env.SESSIONS.list({ prefix: "erased-user-" })).keys;
	const before = new Set((await marks()).map(({ name }) => name));
	await eraseUser(owned.user);
	const keys = (await marks()).filter(({ name }) => !before.has(name));
	expect(keys).toHaveLength(1);
	for (const { name, expiration } of keys) {
		expect(name).not.toContain(owned.user);
		expect(Number(expiration)).toBeGreaterThan(Date.now() / 1000 + 3_600);
		expect(Number(expiration)).toBeLessThan(Date.now() / 1000 + 3_600 + 900);
	}
});
