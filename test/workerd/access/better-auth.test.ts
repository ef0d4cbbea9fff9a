import { env } from "cloudflare:workers";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { describe, expect, it } from "vitest";
import { kvStorage } from "../../fixtures/kv-storage.ts";
import { insertChat, insertRuns, request, requestWith, runsPath, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";

/** A real better-auth deployment that keeps its sessions in the service's KV; its users are in memory. */
function deployment(origin: string, cookiePrefix?: string) {
	const auth = betterAuth({
		baseURL: origin,
		secret: env.BETTER_AUTH_SECRET,
		secondaryStorage: kvStorage(env.SESSIONS),
		rateLimit: { storage: "database" },
		verification: { storeInDatabase: true },
		database: memoryAdapter({ user: [], account: [], verification: [], rateLimit: [] }),
		emailAndPassword: { enabled: true },
		telemetry: { enabled: false },
		...(cookiePrefix ? { advanced: { cookiePrefix } } : {}),
	});

	/** Posts to better-auth's own HTTP handler, as its browser client does. */
	async function post(path: string, body: object, cookie = "") {
		const headers = { "content-type": "application/json", origin, cookie };
		const response = await auth.handler(
			new Request(`${origin}/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(body) }),
		);
		expect([path, response.status, response.ok ? "" : await response.text()]).toEqual([path, 200, ""]);
		return {
			/** What a browser sends back of the cookies that were set. */
			cookie: response.headers
				.getSetCookie()
				.map((set) => set.split(";")[0])
				.join("; "),
			body: await response.json<{ user: { id: string } }>(),
		};
	}

	const account = { email: `${uuid()}@example.com`, password: uuid(), name: "Ada" };
	return {
		signUp: () => post("/sign-up/email", account),
		signIn: () => post("/sign-in/email", { email: account.email, password: account.password }),
		signOut: (cookie: string) => post("/sign-out", {}, cookie),
		revokeAll: (cookie: string) => post("/revoke-sessions", {}, cookie),
	};
}

async function ownChat(user: string) {
	const chat = await insertChat(user);
	await insertRuns(chat, [{}]);
	return runsPath(chat);
}

const statusWith = async (path: string, cookie: string) => (await request(path, { headers: { cookie } })).status;

describe("with real better-auth", { timeout: 20_000 }, () => {
	it("the cookie of a sign-up, and of a sign-in, reads the user's runs", async () => {
		const auth = deployment("http://localhost:3000");
		const up = await auth.signUp();
		const path = await ownChat(up.body.user.id);
		expect(up.cookie).toContain("better-auth.session_token=");
		expect(await statusWith(path, up.cookie)).toBe(200);

		const again = await auth.signIn();
		expect(again.cookie).not.toBe(up.cookie);
		expect(await statusWith(path, again.cookie)).toBe(200);
		expect(await statusWith(await ownChat(uuid()), again.cookie)).toBe(403);
	});

	it("a sign-out ends that session, and no other", async () => {
		const auth = deployment("http://localhost:3000");
		const phone = await auth.signUp();
		const laptop = await auth.signIn();
		const path = await ownChat(phone.body.user.id);

		await auth.signOut(phone.cookie);

		expect(await statusWith(path, phone.cookie)).toBe(401);
		expect(await statusWith(path, laptop.cookie)).toBe(200);
	});

	it("revoking all sessions ends them all", async () => {
		const auth = deployment("http://localhost:3000");
		const phone = await auth.signUp();
		const laptop = await auth.signIn();
		const path = await ownChat(phone.body.user.id);

		await auth.revokeAll(phone.cookie);

		for (const { cookie } of [phone, laptop]) expect(await statusWith(path, cookie)).toBe(401);
	});

	it("a session that a revocation of all has missed is over by CHECK_REVOKED_BEFORE, for one more KV read", async () => {
		const auth = deployment("http://localhost:3000");
		const phone = await auth.signUp();
		const laptop = await auth.signIn();
		const user = phone.body.user.id;
		const path = await ownChat(user);
		const [, token] = /session_token=([^.]+)/.exec(laptop.cookie) as unknown as [string, string];
		const missed = (await env.SESSIONS.get(token)) as string;
		await auth.revokeAll(phone.cookie);
		await env.SESSIONS.put(token, missed);

		const read = async (vars: object, cookie = laptop.cookie) => {
			const { calls, ...bindings } = watchBindings();
			const { status } = await requestWith({ ...bindings, ...vars }, path, { headers: { cookie } });
			return { status, kv: calls.kv };
		};
		const marker = `revoked-sessions-before-${user}`;
		expect(await read({})).toEqual({ status: 200, kv: [token] });
		for (const on of ["true", true]) {
			expect(await read({ CHECK_REVOKED_BEFORE: on })).toEqual({ status: 401, kv: [token, marker] });
		}
		for (const off of ["false", false, ""]) {
			expect(await read({ CHECK_REVOKED_BEFORE: off })).toEqual({ status: 200, kv: [token] });
		}
		expect(await read({ CHECK_REVOKED_BEFORE: "yes" })).toEqual({ status: 500, kv: [] });
		const again = await auth.signIn();
		expect((await read({ CHECK_REVOKED_BEFORE: "true" }, again.cookie)).status).toBe(200);
	});

	it("over https its __Secure- cookie works", async () => {
		const auth = deployment("https://app.example.com");
		const { cookie, body } = await auth.signUp();
		expect(cookie).toContain("__Secure-better-auth.session_token=");
		expect(await statusWith(await ownChat(body.user.id), cookie)).toBe(200);
	});

	it("a time to live that KV would refuse is lengthened", async () => {
		await expect(env.SESSIONS.put("short", "1", { expirationTtl: 59 })).rejects.toThrow("60");
		await kvStorage(env.SESSIONS).set("short", "2", 59);
		expect(await env.SESSIONS.get("short")).toBe("2");
	});

	it("its cookiePrefix is SESSION_COOKIE_PREFIX", async () => {
		const { cookie, body } = await deployment("https://app.example.com", "shop").signUp();
		const path = await ownChat(body.user.id);
		const init = { headers: { cookie } };
		expect((await requestWith({ SESSION_COOKIE_PREFIX: "shop" }, path, init)).status).toBe(200);
		expect((await request(path, init)).status).toBe(401);
	});
});
