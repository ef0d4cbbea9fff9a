import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { insertChat, insertRuns, requestWith, runsPath, signedCookie, signIn, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";

async function ownChat() {
	const user = uuid();
	const { cookie, token } = await signIn(user);
	const chat = await insertChat(user);
	await insertRuns(chat, [{}]);
	return { chat, token, revocations: `revoked-sessions-before-${user}`, headers: { cookie } };
}

/** A promise, and the function that keeps it. */
function gate(): { opened: Promise<void>; open: () => void } {
	const { promise, resolve } = Promise.withResolvers<void>();
	return { opened: promise, open: resolve };
}

describe("a read's I/O", () => {
	it("is a KV read of the session and one of its revocations, and one D1 round trip", async () => {
		const { chat, token, revocations, headers } = await ownChat();
		const { calls, ...bindings } = watchBindings();
		expect((await requestWith(bindings, runsPath(chat), { headers })).status).toBe(200);
		expect(calls.kv).toEqual([token, revocations]);
		expect(calls.d1).toHaveLength(1);
	});

	it("goes to D1 before KV has answered", async () => {
		const { chat, headers } = await ownChat();
		const d1Asked = gate();
		// KV answers only once D1 was asked: were it the other way round, this would hang.
		const { calls, ...bindings } = watchBindings({ onKv: () => d1Asked.opened, onD1: d1Asked.open });
		expect((await requestWith(bindings, runsPath(chat), { headers })).status).toBe(200);
		expect([calls.kv.length, calls.d1.length]).toEqual([2, 1]);
	});

	it("goes to KV before D1 has answered", async () => {
		const { chat, headers } = await ownChat();
		const kvAsked = gate();
		const { calls, ...bindings } = watchBindings({ onD1: () => kvAsked.opened, onKv: kvAsked.open });
		expect((await requestWith(bindings, runsPath(chat), { headers })).status).toBe(200);
		expect([calls.kv.length, calls.d1.length]).toEqual([2, 1]);
	});

	it("asks for revocations as soon as D1 has named the owner, before the session is there", async () => {
		const { chat, token, revocations, headers } = await ownChat();
		const asked = gate();
		const { calls, ...bindings } = watchBindings({
			onKv: (key) => (key === revocations ? asked.open() : asked.opened),
		});
		expect((await requestWith(bindings, runsPath(chat), { headers })).status).toBe(200);
		expect(calls.kv).toEqual([token, revocations]);
	});

	it("asks for revocations at once if the session's user was seen before: nothing waits for anything", async () => {
		const { chat, token, revocations, headers } = await ownChat();
		expect((await requestWith({}, runsPath(chat), { headers })).status).toBe(200);
		const [kvAsked, d1Asked] = [gate(), gate()];
		const { calls, ...bindings } = watchBindings({
			onKv: (key) => (key === revocations ? kvAsked.open() : Promise.all([kvAsked.opened, d1Asked.opened])),
			onD1: () => {
				d1Asked.open();
				return kvAsked.opened;
			},
		});
		// Another chat of the user's, which nothing is known of.
		expect((await requestWith(bindings, runsPath(uuid()), { headers })).status).toBe(404);
		expect([calls.kv.toSorted(), calls.d1.length]).toEqual([[token, revocations].toSorted(), 1]);
	});

	it("asks for revocations at once where a cached copy names the owner", async () => {
		const { chat, revocations, headers } = await ownChat();
		expect((await requestWith({}, runsPath(chat), { headers })).status).toBe(200);
		const asked = gate();
		const { calls, ...bindings } = watchBindings({
			onKv: (key) => (key === revocations ? asked.open() : asked.opened),
			onD1: () => asked.opened,
		});
		expect((await requestWith({ ...bindings, FRESH_SECONDS: 0 }, runsPath(chat), { headers })).status).toBe(200);
		expect([calls.kv.length, calls.d1.length]).toEqual([2, 1]);
	});

	it("does not happen for a forged cookie or a malformed id", async () => {
		const { chat, token, headers } = await ownChat();
		const forged = await signedCookie(token, { secret: "a secret that somebody else has thought out" });
		const { calls, ...bindings } = watchBindings();
		expect((await requestWith(bindings, runsPath(chat), { headers: { cookie: forged } })).status).toBe(401);
		expect(calls).toEqual({ kv: [], d1: [] });
		expect((await requestWith(bindings, runsPath("x"), { headers })).status).toBe(400);
		expect(calls.d1).toEqual([]);
	});
});

describe("a failing store", () => {
	const outage = () => {
		throw new Error("D1_ERROR: Network connection lost at 10.0.0.7");
	};

	it.each([
		["KV", { onKv: outage }],
		["D1", { onD1: outage }],
		["both", { onKv: outage, onD1: outage }],
	])("is a 503 to try again, and logs nobody out: %s", async (_, hooks) => {
		const { chat, headers } = await ownChat();
		const { calls: __, ...bindings } = watchBindings(hooks);
		const response = await requestWith(bindings, runsPath(chat), { headers });
		expect(response.status).toBe(503);
		expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
		expect(response.headers.get("cache-control")).toBe("no-store");
		const text = await response.text();
		expect(JSON.parse(text)).toMatchObject({ error: "Service Unavailable", code: "STORE_UNAVAILABLE" });
		expect(text).not.toMatch(/D1_ERROR|10\.0\.0\.7|Network/);
	});

	it("tells a stranger nothing: without a session D1's failure is a 401", async () => {
		const { chat, token, headers } = await ownChat();
		await env.SESSIONS.delete(token);
		const { calls, ...bindings } = watchBindings({ onD1: outage });
		expect((await requestWith(bindings, runsPath(chat), { headers })).status).toBe(401);
		expect(calls.d1).toHaveLength(1);
	});

	it("leaves the next request as it was", async () => {
		const { chat, headers } = await ownChat();
		const { calls: _, ...failing } = watchBindings({ onKv: outage, onD1: outage });
		await requestWith(failing, runsPath(chat), { headers });
		expect((await requestWith({}, runsPath(chat), { headers })).status).toBe(200);
	});
});
