import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createClient } from "#client/index.ts";
import { createReadToken } from "#recorder/index.ts";
import { insertChat, insertRuns, request, requestWith, runsPath, signIn, uuid } from "../helpers.ts";
import { SECRETS, sign } from "./read-tokens.ts";

const seconds = () => Math.floor(Date.now() / 1000);
const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function ownChat() {
	const user = uuid();
	const chat = await insertChat(user);
	const [run] = (await insertRuns(chat, [{}])) as [string];
	return { user, chat, run };
}

describe("a read token", () => {
	it("opens from any language: claims that others add, and dates that are just right, do no harm", async () => {
		const { user, chat } = await ownChat();
		const now = seconds();
		for (const claims of [
			{ sub: user, exp: now + 5 },
			{ sub: user, exp: now + 86_400 + 30, nbf: now + 30, iat: now + 30 },
			{ sub: user, exp: now + 0.5 + 60, nbf: 0, iss: "app", aud: ["x"], jti: "1", scope: "read" },
			{ sub: user, exp: now + 60, chat: chat.toUpperCase() },
		]) {
			for (const header of [{ alg: "HS256" }, { typ: "at+jwt", alg: "HS256", kid: "1" }]) {
				const response = await request(runsPath(chat), withToken(await sign(claims, { header })));
				expect([claims, response.status]).toEqual([claims, 200]);
			}
		}
	});

	it("reads as its user's cookie does: the same body, the same tag", async () => {
		const { user, chat } = await ownChat();
		const { cookie } = await signIn(user);
		const byCookie = await request(runsPath(chat), { headers: { cookie } });
		const byToken = await request(
			runsPath(chat),
			withToken(await createReadToken({ secret: SECRETS[0], userId: user })),
		);
		expect(byToken.headers.get("etag")).toBe(byCookie.headers.get("etag"));
		expect(await byToken.text()).toBe(await byCookie.text());
	});

	it("is named beside the cookie where neither came", async () => {
		const refused = await request(runsPath(uuid()));
		expect(refused.headers.get("www-authenticate")).toBe('Cookie realm="edge-runs", Bearer realm="edge-runs"');
		const bad = await request(runsPath(uuid()), withToken("x"));
		expect([bad.status, ((await bad.json()) as { message: string }).message]).toEqual([
			401,
			"Invalid or expired read token",
		]);
	});

	it("counts where a cookie comes too; another scheme of Authorization does not, and a cookie then does", async () => {
		const [mine, theirs] = [await ownChat(), await ownChat()];
		const { cookie } = await signIn(mine.user);
		const token = await createReadToken({ secret: SECRETS[0], userId: theirs.user });
		const both = { headers: { cookie, authorization: `Bearer ${token}` } };
		expect((await request(runsPath(theirs.chat), both)).status).toBe(200);
		expect((await request(runsPath(mine.chat), both)).status).toBe(403);
		const basic = { headers: { cookie, authorization: "Basic dTpw" } };
		expect((await request(runsPath(mine.chat), basic)).status).toBe(200);
	});

	it("is nothing to a service without a secret for it: then the cookie counts, as in 0.1", async () => {
		const { user, chat } = await ownChat();
		const { cookie } = await signIn(user);
		const authorization = `Bearer ${await createReadToken({ secret: SECRETS[0], userId: user })}`;
		for (const READ_TOKEN_SECRET of [undefined, "", " , "]) {
			const ask = async (headers: Record<string, string>) =>
				(await requestWith({ READ_TOKEN_SECRET }, runsPath(chat), { headers })).status;
			expect([await ask({ authorization }), await ask({ authorization, cookie })]).toEqual([401, 200]);
		}
	});

	it("never writes", async () => {
		const { user, chat, run } = await ownChat();
		const { headers } = withToken(await createReadToken({ secret: SECRETS[0], userId: user }));
		for (const [method, path] of [
			["PUT", `${runsPath(chat)}/${run}`],
			["PATCH", runsPath(chat)],
			["DELETE", `/api/chats/${chat}`],
		] as const) {
			const response = await request(path, { method, headers });
			expect([method, response.status]).toEqual([method, 401]);
		}
	});
});

describe("the client", () => {
	function clientOf(token: string | ((refused?: string) => Promise<string>)) {
		return createClient("http://edge-runs.test", { token, fetch: (input, init) => exports.default.fetch(input, init) });
	}

	it("asks for another token where the service refuses the one it has, and sends the request again", async () => {
		const { user, chat, run } = await ownChat();
		const old = await sign({ sub: user, exp: seconds() - 1 });
		let kept = old;
		const asked: (string | undefined)[] = [];
		const client = clientOf(async (refused) => {
			asked.push(refused);
			if (refused !== undefined) kept = await createReadToken({ secret: SECRETS[0], userId: user, chatId: chat });
			return kept;
		});
		expect((await client.listWorkflowRuns(chat)).workflowRuns).toHaveLength(1);
		expect((await client.getWorkflowRun(chat, run)).id).toBe(run);
		expect(asked).toEqual([undefined, old, undefined]);
	});

	it("does not send a refused token twice", async () => {
		const { user, chat } = await ownChat();
		const old = await sign({ sub: user, exp: seconds() - 1 });
		let asked = 0;
		const same = clientOf(async () => {
			asked++;
			return old;
		});
		const nobodys = clientOf(async () => "");
		for (const client of [clientOf(old), same, nobodys]) {
			await expect(client.listWorkflowRuns(chat)).rejects.toMatchObject({ status: 401, code: "INVALID_SESSION" });
		}
		expect(asked).toBe(2);
	});

	it("follows on where a stream ends with its token", async () => {
		const { user, chat } = await ownChat();
		let made = 0;
		const client = clientOf(() =>
			createReadToken({ secret: SECRETS[0], userId: user, expiresInSeconds: made++ === 0 ? 3 : 600 }),
		);
		const states: string[] = [];
		const follower = client.followWorkflowRuns(chat, { onState: ({ status }) => states.push(status) });
		try {
			await expect
				.poll(() => states.slice(1), { timeout: 20_000 })
				.toEqual(["live", "reconnecting", "reconnecting", "live"]);
			expect([made, follower.runs.length]).toEqual([2, 1]);
		} finally {
			follower.close();
		}
	});
});
