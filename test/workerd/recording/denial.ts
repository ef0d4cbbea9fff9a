import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createReadToken } from "#recorder/index.ts";
import { SECRETS } from "../access/read-tokens.ts";
import { insertRuns, requestWith, signIn, uuid } from "../helpers.ts";
import { watchBindings } from "../watch-bindings.ts";
import { OPERATOR_TOKENS, recording, registeredChat, TOKENS, wholeDatabase } from "./recorder.ts";

/** A route that a token opens. */
export interface TokenRoute {
	method: string;
	/** Of a chat, one of its runs, and its owner. */
	path: (chatId: string, runId: string, userId: string) => string;
	/** A body that the route takes for a chat of this owner; none if it takes none. */
	body?: ((userId: string) => unknown) | undefined;
}

/** Whose tokens open a route: the secret's name, the tokens, and those of the others. */
const KINDS = {
	service: { secret: "RECORDER_TOKENS", tokens: TOKENS, others: OPERATOR_TOKENS },
	operator: { secret: "OPERATOR_TOKENS", tokens: OPERATOR_TOKENS, others: TOKENS },
} as const;

/** What is not one of the tokens, as an `Authorization` header. */
const badAuthorizations = (tokens: readonly [string, string], others: readonly string[]): [string, string][] => {
	const [TOKEN] = tokens;
	return [
		["an empty one", ""],
		["the scheme alone", "Bearer"],
		["an empty token", "Bearer "],
		["another token", `Bearer ${"x".repeat(TOKEN.length)}`],
		["a token without its last character", `Bearer ${TOKEN.slice(0, -1)}`],
		["a token with one more", `Bearer ${TOKEN}0`],
		["a token with its last character changed", `Bearer ${TOKEN.slice(0, -1)}~`],
		["a token in other case", `Bearer ${TOKEN.toUpperCase()}`],
		["the whole list", `Bearer ${tokens.join()}`],
		...others.map((other): [string, string] => ["a token that opens other routes", `Bearer ${other}`]),
		["a token without its scheme", TOKEN],
		["another scheme", `Basic ${btoa(`${TOKEN}:`)}`],
		["two tokens", `Bearer ${TOKEN} ${TOKEN}`],
		["a quoted token", `Bearer "${TOKEN}"`],
		["a token of 8,000 characters", `Bearer ${"x".repeat(8_000)}`],
	];
};

/**
 * The denial suite for every route that asks for a service or an operator token. Each case sends what would succeed with
 * one, so that a denial is never an accident.
 */
export function describeTokenDenials(kind: keyof typeof KINDS, name: string, { method, path, body }: TokenRoute): void {
	const { secret, tokens: TOKENS, others } = KINDS[kind];
	const [TOKEN] = TOKENS;

	async function send(headers: Record<string, string>, { vars = {}, url = (at: string) => at, chat = "" } = {}) {
		const owned = await registeredChat();
		// An operator asks for a run that is there, whatever chat it is in.
		const [run = uuid()] = kind === "operator" ? await insertRuns(owned.chat, [{}]) : [];
		const { calls, ...bindings } = watchBindings();
		const init = recording(method, body?.(owned.user), { authorization: `Bearer ${TOKEN}`, ...headers });
		const to = url(path(chat || owned.chat, run, owned.user));
		const before = await wholeDatabase();
		// So many denials from one place would be limited.
		const response = await requestWith({ ...bindings, SIGN_IN_LIMIT: undefined, ...vars }, to, init);
		const changed = (await wholeDatabase()) !== before;
		return { response, calls, changed };
	}

	async function expectDenial(sent: ReturnType<typeof send>): Promise<void> {
		const { response, calls, changed } = await sent;
		expect(response.status).toBe(401);
		expect(await response.json()).toMatchObject({ error: "Unauthorized", code: "INVALID_TOKEN" });
		expect(response.headers.get("www-authenticate")).toBe('Bearer realm="edge-runs"');
		expect(response.headers.get("cache-control")).toBe("no-store");
		expect({ calls, changed }).toEqual({ calls: { kv: [], d1: [] }, changed: false });
	}

	describe(`${name} is denied`, () => {
		let lines: string[];
		beforeEach(async () => {
			// Each case looks at the whole database twice.
			await env.DB.batch([env.DB.prepare("delete from workflow_runs"), env.DB.prepare("delete from chats")]);
			lines = [];
			for (const level of ["log", "error"] as const) {
				vi.spyOn(console, level).mockImplementation((line) => void lines.push(line));
			}
		});
		afterEach(() => vi.restoreAllMocks());

		it.each(TOKENS)("to nobody with one of the tokens: %s", async (token) => {
			for (const authorization of [`Bearer ${token}`, `bearer  ${token} `]) {
				const { response } = await send({ authorization });
				expect(response.ok, `it answers ${response.status}`).toBe(true);
				await response.body?.cancel();
			}
		});

		it.each(badAuthorizations(TOKENS, others))("by %s, before any I/O", async (_, authorization) => {
			await expectDenial(send({ authorization }));
		});

		it("after as much work for one token as for another, so that its time tells nothing", async () => {
			const digest = vi.spyOn(crypto.subtle, "digest");
			const work = async (token: string) => {
				digest.mockClear();
				await requestWith(
					{ SIGN_IN_LIMIT: undefined },
					path("not-a-uuid", uuid(), "\u0007"),
					recording(method, method === "GET" ? undefined : {}, { authorization: `Bearer ${token}` }),
				);
				return digest.mock.calls.length;
			};
			const near = [...TOKENS, TOKEN.slice(0, -1), `${TOKEN}0`, `x${TOKEN.slice(1)}`, "x"];
			// Both sides of each comparison are hashed, and no comparison is left out.
			for (const token of near) expect(await work(token)).toBe(2 * TOKENS.length);
		});

		it("to a user's session or read token, the owner's too", async () => {
			const { chat, cookie, user } = await registeredChat();
			await expectDenial(send({ authorization: "", cookie }, { chat }));
			const readToken = await createReadToken({ secret: SECRETS[0], userId: user });
			await expectDenial(send({ authorization: `Bearer ${readToken}` }, { chat }));
			const { token } = await signIn(uuid());
			await expectDenial(send({ authorization: `Bearer ${token}` }));
		});

		it("to a token in the address, a cookie or another header", async () => {
			const url = (at: string) => `${at}${at.includes("?") ? "&" : "?"}access_token=${TOKEN}&token=${TOKEN}`;
			await expectDenial(send({ authorization: "" }, { url }));
			await expectDenial(send({ authorization: "", cookie: `token=${TOKEN}`, "x-api-key": TOKEN }));
		});

		it("before anything is said of the ids or the body", async () => {
			await expectDenial(send({ authorization: "" }, { chat: "not-a-uuid" }));
			await expectDenial(send({ authorization: "", "content-type": "text/plain" }));
			await expectDenial(send({ authorization: "", "content-length": "9999999" }));
		});

		it.each(["", " , ,"])("to everybody where no token is set: %j", async (tokens) => {
			for (const authorization of ["", "Bearer", "Bearer ,", `Bearer ${TOKEN}`]) {
				await expectDenial(send({ authorization }, { vars: { [secret]: tokens } }));
			}
			await expectDenial(send({}, { vars: { [secret]: undefined } }));
		});

		it.each([
			["a token of 31 characters", `${TOKEN},${"s".repeat(31)}`, /token 2 is too short.*at least 32/],
			["a token that no header holds", `${"s".repeat(40)} s`, /token 1 is not a bearer token/],
			["a token of both lists", `${TOKEN},${others[1]}`, /OPERATOR_TOKENS: token 2 is one of RECORDER_TOKENS/],
		])("to everybody where the list is unusable, and the log says why: %s", async (_, tokens, message) => {
			const { response, calls, changed } = await send({}, { vars: { [secret]: tokens } });
			expect(response.status).toBe(500);
			expect(await response.text()).not.toMatch(/_TOKENS/);
			expect({ calls, changed }).toEqual({ calls: { kv: [], d1: [] }, changed: false });
			const log = lines.join("\n");
			expect(log).toMatch(message);
			expect(log).toContain(secret);
			for (const secret of tokens.split(",")) expect(log).not.toContain(secret);
		});
	});
}
