import { env } from "cloudflare:workers";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { admin } from "better-auth/plugins";
import { describe, expect, it } from "vitest";
import { kvStorage } from "../../fixtures/kv-storage.ts";
import { insertChat, insertRuns, request, requestWith, runsPath, uuid } from "../helpers.ts";

/** Better-auth's own hash takes a tenth of a second, as it should; sessions know nothing of passwords. */
const PASSWORDS = {
	hash: async (password: string) => password,
	verify: async ({ hash, password }: { hash: string; password: string }) => hash === password,
};

/** A real better-auth deployment that keeps its sessions in the service's KV; its users are in memory. */
function deployment(origin: string, options: Pick<BetterAuthOptions, "advanced" | "secrets"> = {}) {
	const database = { user: [] as Record<string, unknown>[], account: [], verification: [], rateLimit: [] };
	const auth = betterAuth({
		baseURL: origin,
		secret: env.BETTER_AUTH_SECRET,
		secondaryStorage: kvStorage(env.SESSIONS),
		rateLimit: { storage: "database" },
		verification: { storeInDatabase: true },
		database: memoryAdapter(database),
		emailAndPassword: { enabled: true, password: PASSWORDS },
		user: { deleteUser: { enabled: true } },
		plugins: [admin()],
		telemetry: { enabled: false },
		...options,
	});

	/** Whom better-auth itself takes the bearer of a cookie for: a user's id, or nobody. */
	async function whoIs(cookie: string): Promise<string | undefined> {
		const found = await auth.api.getSession({ headers: new Headers({ cookie }) });
		return found?.user.id;
	}

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
			token: /session_token=([^.]+)/.exec(response.headers.getSetCookie().join())?.[1] ?? "",
			body: await response.json<{ user: { id: string } }>(),
		};
	}

	const account = { email: `${uuid()}@example.com`, password: uuid(), name: "Ada" };
	return {
		account,
		post,
		whoIs,
		/** Posts with the session of somebody whose role is admin. */
		async asAdmin(path: string, body: object) {
			const boss = { email: `${uuid()}@example.com`, password: uuid(), name: "Grace" };
			const { body: made } = await post("/sign-up/email", boss);
			for (const user of database.user) if (user["id"] === made.user.id) user["role"] = "admin";
			const { cookie } = await post("/sign-in/email", boss);
			return post(path, body, cookie);
		},
		signUp: () => post("/sign-up/email", account),
		signIn: () => post("/sign-in/email", { email: account.email, password: account.password }),
		signOut: (cookie: string) => post("/sign-out", {}, cookie),
		revokeAll: (cookie: string) => post("/revoke-sessions", {}, cookie),
	};
}

type Deployment = ReturnType<typeof deployment>;

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

	it.each([
		["revoke-sessions", (auth: Deployment, cookie: string) => auth.post("/revoke-sessions", {}, cookie)],
		[
			"change-password",
			(auth: Deployment, cookie: string) =>
				auth.post(
					"/change-password",
					{ currentPassword: auth.account.password, newPassword: uuid(), revokeOtherSessions: true },
					cookie,
				),
		],
		["delete-user", (auth: Deployment, cookie: string) => auth.post("/delete-user", {}, cookie)],
		[
			"an admin's ban",
			async (auth: Deployment, _: string, userId: string) => auth.asAdmin("/admin/ban-user", { userId }),
		],
		[
			"an admin's revoke-user-sessions",
			async (auth: Deployment, _: string, userId: string) => auth.asAdmin("/admin/revoke-user-sessions", { userId }),
		],
	])("%s ends sessions that better-auth's own list has lost to sign-ins at the same time", async (_, revoke) => {
		const auth = deployment("http://localhost:3000");
		const first = await auth.signUp();
		const user = first.body.user.id;
		const path = await ownChat(user);
		const tabs = await Promise.all(Array.from({ length: 8 }, () => auth.signIn()));
		// What a list that several wrote at once has lost is still there when better-auth deletes what it lists.
		const kept = await Promise.all(tabs.map(async ({ token }) => [token, (await env.SESSIONS.get(token)) as string]));
		for (const { cookie } of tabs) expect(await statusWith(path, cookie)).toBe(200);
		await new Promise((resolve) => setTimeout(resolve, 2));

		await revoke(auth, first.cookie, user);
		for (const [token, value] of kept) await env.SESSIONS.put(token as string, value as string);

		for (const { cookie } of tabs) expect(await statusWith(path, cookie)).toBe(401);
		const off = { CHECK_REVOKED_BEFORE: "false" };
		const { cookie } = tabs[0] as { cookie: string };
		expect((await requestWith(off, path, { headers: { cookie } })).status).toBe(200);
	});

	it("a sign-in after a revocation works", async () => {
		const auth = deployment("http://localhost:3000");
		const { cookie, body } = await auth.signUp();
		const path = await ownChat(body.user.id);
		await auth.revokeAll(cookie);
		expect(await statusWith(path, (await auth.signIn()).cookie)).toBe(200);
	});

	it.each(["yes", "1", "off"])("CHECK_REVOKED_BEFORE=%s is a mistake that is said", async (value) => {
		expect((await requestWith({ CHECK_REVOKED_BEFORE: value }, runsPath(uuid()))).status).toBe(500);
	});

	it("over https its __Secure- cookie works", async () => {
		const auth = deployment("https://app.example.com");
		const { cookie, body } = await auth.signUp();
		expect(cookie).toContain("__Secure-better-auth.session_token=");
		expect(await statusWith(await ownChat(body.user.id), cookie)).toBe(200);
	});

	it("its secret is changed without a pause: here both count, while better-auth itself takes the new one only", async () => {
		const secrets = { old: env.BETTER_AUTH_SECRET, new: "a new secret of at least thirty-two characters" };
		const before = deployment("https://app.example.com");
		const after = deployment("https://app.example.com", {
			secrets: [
				{ version: 2, value: secrets.new },
				{ version: 1, value: secrets.old },
			],
		});
		const [early, late] = [await before.signUp(), await after.signUp()];
		expect(await before.whoIs(early.cookie)).toBe(early.body.user.id);
		expect(await after.whoIs(early.cookie)).toBe(undefined);

		const statuses = async (value: string) => {
			const ask = async ({ cookie, body }: typeof early) => {
				const init = { headers: { cookie } };
				return (await requestWith({ BETTER_AUTH_SECRET: value }, await ownChat(body.user.id), init)).status;
			};
			return [await ask(early), await ask(late)];
		};
		expect(await statuses(secrets.old)).toEqual([200, 401]);
		expect(await statuses(`${secrets.new}, ${secrets.old}`)).toEqual([200, 200]);
		expect(await statuses(`${secrets.old},${secrets.new}`)).toEqual([200, 200]);
		expect(await statuses(secrets.new)).toEqual([401, 200]);
		// A part that is too short to be a secret is none, and says nothing of the others.
		expect(await statuses(`too short,${secrets.old}`)).toEqual([200, 401]);
	});

	it("a time to live that KV would refuse is lengthened", async () => {
		await expect(env.SESSIONS.put("short", "1", { expirationTtl: 59 })).rejects.toThrow("60");
		await kvStorage(env.SESSIONS).set("short", "2", 59);
		expect(await env.SESSIONS.get("short")).toBe("2");
	});

	it("its cookiePrefix is SESSION_COOKIE_PREFIX", async () => {
		const { cookie, body } = await deployment("https://app.example.com", {
			advanced: { cookiePrefix: "shop" },
		}).signUp();
		const path = await ownChat(body.user.id);
		const init = { headers: { cookie } };
		expect((await requestWith({ SESSION_COOKIE_PREFIX: "shop" }, path, init)).status).toBe(200);
		expect((await request(path, init)).status).toBe(401);
	});
});
