import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createReadToken } from "#recorder/index.ts";
import { insertChat, insertRuns, requestWith, signedCookie, signIn, storedSession, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";
import { badTokens, SECRETS } from "./read-tokens.ts";

/** A route that serves what is under a chat, to the chat's owner alone. */
export interface ProtectedRoute {
	method: string;
	/** Fills the ids in. The run is one of the chat's. */
	path: (chatId: string, runId: string) => string;
	/** What the owner gets; 200 unless it says otherwise. */
	status?: number;
	/** Whether people look at it: its errors are then pages. */
	isPage?: boolean;
}

/**
 * The denial suite, for every route that asks for a session. Each case has a real chat with a real run
 * behind it, and the owner's own request as its counterpart, so that a denial is never an accident.
 */
export function describeDenials(name: string, { method, path, status = 200, isPage = false }: ProtectedRoute): void {
	async function ask(chatId: string, runId: string, cookie?: string, authorization?: string) {
		const { calls, ...bindings } = watchBindings();
		const headers = { ...(cookie !== undefined && { cookie }), ...(authorization !== undefined && { authorization }) };
		const init = { method, headers };
		const response = await requestWith(bindings, path(chatId, runId), init);
		return { response, calls };
	}

	async function ownChat(deletedAt: string | null = null) {
		const user = uuid();
		const session = await signIn(user);
		const chat = await insertChat(user, { deletedAt });
		const [run] = (await insertRuns(chat, [{}])) as [string];
		return { user, ...session, chat, run };
	}

	async function expectDenial(denied: ReturnType<typeof ask>, status: number, code: string, run: string) {
		const { response, calls } = await denied;
		const text = await response.text();
		expect([response.status, isPage ? /\b[A-Z_]{9,}\b/.exec(text)?.[0] : JSON.parse(text).code]).toEqual([
			status,
			code,
		]);
		expect(response.headers.get("cache-control")).toBe("no-store");
		expect(response.headers.get("etag")).toBeNull();
		expect(text).not.toContain(run);
		return calls;
	}

	describe(`${name} is denied`, () => {
		it("to nobody but strangers: the owner gets in", async () => {
			const { chat, run, cookie } = await ownChat();
			const { response } = await ask(chat, run, cookie);
			expect(response.status).toBe(status);
			await response.body?.cancel();
		});

		it("without a cookie, before any I/O", async () => {
			const { chat, run } = await ownChat();
			const calls = await expectDenial(ask(chat, run), 401, "INVALID_SESSION", run);
			expect(calls).toEqual({ kv: [], d1: [] });
		});

		it("with a forged cookie, before any I/O", async () => {
			const { chat, run, token } = await ownChat();
			const forged = await signedCookie(token, { secret: "a secret that somebody else has thought out" });
			const calls = await expectDenial(ask(chat, run, forged), 401, "INVALID_SESSION", run);
			expect(calls).toEqual({ kv: [], d1: [] });
		});

		it("with a service token or an operator token, before any I/O", async () => {
			const { chat, run } = await ownChat();
			for (const token of `${env.RECORDER_TOKENS},${env.OPERATOR_TOKENS}`.split(",")) {
				const calls = await expectDenial(ask(chat, run, undefined, `Bearer ${token}`), 401, "INVALID_SESSION", run);
				expect(calls).toEqual({ kv: [], d1: [] });
			}
		});

		it("with an expired session, though KV still holds it", async () => {
			const { user, chat, run, token, cookie } = await ownChat();
			const expired = storedSession(user, token, { expiresAt: new Date(Date.now() - 1_000).toISOString() });
			await env.SESSIONS.put(token, JSON.stringify(expired));
			await expectDenial(ask(chat, run, cookie), 401, "INVALID_SESSION", run);
		});

		it("with a revoked session", async () => {
			const { chat, run, token, cookie } = await ownChat();
			await env.SESSIONS.delete(token);
			await expectDenial(ask(chat, run, cookie), 401, "INVALID_SESSION", run);
		});

		it("to another user", async () => {
			const { chat, run } = await ownChat();
			const { cookie } = await signIn(uuid());
			await expectDenial(ask(chat, run, cookie), 403, "CHAT_FORBIDDEN", run);
		});

		it("for a chat that does not exist", async () => {
			const { run, cookie } = await ownChat();
			await expectDenial(ask(uuid(), run, cookie), 404, "CHAT_NOT_FOUND", run);
		});

		it("for a deleted chat, to its owner too", async () => {
			const { chat, run, cookie } = await ownChat("2024-02-05T00:00:00.000Z");
			await expectDenial(ask(chat, run, cookie), 404, "CHAT_NOT_FOUND", run);
		});

		it("for a malformed chat id, but only to who is signed in", async () => {
			const { run, cookie, token } = await ownChat();
			const calls = await expectDenial(ask("not-a-uuid", run, cookie), 400, "INVALID_CHAT_ID", run);
			expect(calls.d1).toEqual([]);
			await expectDenial(ask("not-a-uuid", run), 401, "INVALID_SESSION", run);
			await env.SESSIONS.delete(token);
			await expectDenial(ask("not-a-uuid", run, cookie), 401, "INVALID_SESSION", run);
		});

		if (isPage) {
			it("with a read token: pages are for cookies only", async () => {
				const { user, chat, run, cookie } = await ownChat();
				const token = `Bearer ${await createReadToken({ secret: SECRETS[0], userId: user })}`;
				expect(await expectDenial(ask(chat, run, undefined, token), 401, "INVALID_SESSION", run)).toEqual(NOTHING);
				const { response } = await ask(chat, run, cookie, token);
				expect(response.status).toBe(200);
			});
			return;
		}

		it("to nobody who has the owner's read token, by any of the secrets, and KV is not asked", async () => {
			const { user, chat, run } = await ownChat();
			for (const secret of SECRETS) {
				for (const chatId of [undefined, chat, chat.toUpperCase()]) {
					const token = await createReadToken({ secret, userId: user, chatId });
					const { response, calls } = await ask(chat.toUpperCase(), run, undefined, `bearer ${token}`);
					expect([response.status, calls.kv]).toEqual([status, []]);
					await response.body?.cancel();
				}
			}
		});

		it("with a bad read token, before any I/O, whatever cookie comes with it", async () => {
			const { user, chat, run, cookie } = await ownChat();
			for (const [what, token] of await badTokens(user, chat)) {
				for (const sent of [undefined, cookie]) {
					const calls = await expectDenial(ask(chat, run, sent, `Bearer ${token}`), 401, "INVALID_SESSION", run);
					expect([what, calls]).toEqual([what, NOTHING]);
				}
			}
		});

		it("with a read token for another chat, before any I/O, though both are the user's", async () => {
			const { user, chat, run, cookie } = await ownChat();
			const other = await insertChat(user);
			const token = `Bearer ${await createReadToken({ secret: SECRETS[0], userId: user, chatId: other })}`;
			for (const asked of [chat, uuid()]) {
				expect(await expectDenial(ask(asked, run, cookie, token), 403, "CHAT_FORBIDDEN", run)).toEqual(NOTHING);
			}
			expect(await expectDenial(ask("not-a-uuid", run, undefined, token), 400, "INVALID_CHAT_ID", run)).toEqual(
				NOTHING,
			);
		});

		it("with another user's read token, for all chats or for this one, even beside the owner's cookie", async () => {
			const { chat, run, cookie } = await ownChat();
			for (const chatId of [undefined, chat]) {
				const token = `Bearer ${await createReadToken({ secret: SECRETS[0], userId: uuid(), chatId })}`;
				await expectDenial(ask(chat, run, cookie, token), 403, "CHAT_FORBIDDEN", run);
			}
		});

		it("with the owner's read token for a chat that does not exist or was deleted", async () => {
			const { user, chat, run } = await ownChat("2024-02-05T00:00:00.000Z");
			const token = `Bearer ${await createReadToken({ secret: SECRETS[0], userId: user })}`;
			for (const asked of [chat, uuid()]) {
				await expectDenial(ask(asked, run, undefined, token), 404, "CHAT_NOT_FOUND", run);
			}
		});

		it("with a read token in the URL", async () => {
			const { user, chat, run } = await ownChat();
			const token = await createReadToken({ secret: SECRETS[0], userId: user });
			for (const name of ["token", "access_token", "authorization"]) {
				const calls = watchBindings();
				const response = await requestWith(calls, `${path(chat, run)}?${name}=${token}`, { method });
				expect([response.status, calls.calls]).toEqual([401, NOTHING]);
			}
		});
	});
}

/** No store was asked. */
const NOTHING = { kv: [], d1: [] };
