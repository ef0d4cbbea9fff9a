import { setTimeout as sleep } from "node:timers/promises";
import { Stop } from "./command-line.ts";

/** The service's answer to a report: stored, or refused. */
export interface ReportAnswer {
	readonly ok: boolean;
	readonly status: number;
	/** The error's code, if it was refused. */
	readonly code: string;
	/** The error's message, if it was refused. */
	readonly message: string;
	/** The body's `data`, if it was stored; undefined if there is no body. */
	readonly data: unknown;
}

export type Send = (method: "GET" | "PUT" | "PATCH" | "DELETE", path: string, body?: string) => Promise<ReportAnswer>;

export interface SenderOptions {
	/** How often a request is sent in all, at most. */
	readonly tries?: number;
	/** Whose token it is, for the message where it is refused. */
	readonly kind?: keyof typeof TOKENS;
	/** Tells a person that it waits, and for what. */
	readonly say?: (message: string) => void;
}

/** A service that answers none of these in a row is down for longer than it pays to wait: about a minute. */
const TRIES = 8;
const BASE_MILLISECONDS = 250;
const MAX_MILLISECONDS = 15_000;
/** Who is asked to come back later than this is not waited for longer, and asked again all the same. */
const MAX_ASKED_MILLISECONDS = 300_000;
const ANSWER_MILLISECONDS = 60_000;
/** Shorter waits are not worth a line. */
const SAID_MILLISECONDS = 5_000;

/** Statuses that refuse this body. With any other status, no body would get through. */
const OF_THE_BODY = new Set([400, 404, 409, 413]);

/** Statuses that pass: of a limit, a proxy or a store. 520 to 530 are Cloudflare's own, where it did not reach the Worker. */
const passes = (status: number) => [408, 425, 429, 502, 503, 504].includes(status) || (status >= 520 && status <= 530);

/** The secrets that list what the service takes. */
const TOKENS = { service: "RECORDER_TOKENS", operator: "OPERATOR_TOKENS" } as const;

/** What came back, read to its end. */
interface Received {
	readonly status: number;
	readonly headers: Headers;
	/** The body's JSON; undefined if it is none. */
	readonly body: Record<string, unknown> | undefined;
}

/**
 * Sends requests of recorders and operators, and again while the service or the network is busy: after `Retry-After`, or
 * after twice as long each time, with jitter. All of them may be sent again, whatever became of the first: reports are
 * merged.
 * @returns a function that throws Stop if the service cannot be reached, refuses the token, or is not edge-runs
 */
export function sender(
	origin: URL,
	token: string,
	{ tries = TRIES, kind = "service", say = () => {} }: SenderOptions = {},
): Send {
	return async function send(method, path, body) {
		for (let tried = 1; ; tried++) {
			const received = await ask(origin, token, method, path, body);
			const failed = failureOf(received);
			if (failed === null) return judge(origin, kind, received as Received);
			if (tried >= tries)
				throw new Stop(`${origin.origin} does not work: ${failed}, ${tried} times in a row, the last time just now.`);
			const backoff = Math.min(BASE_MILLISECONDS * 2 ** tried, MAX_MILLISECONDS) * (0.5 + Math.random() / 2);
			const wait = Math.max(received instanceof Error ? 0 : askedMilliseconds(received.headers), backoff);
			if (wait >= SAID_MILLISECONDS)
				say(`${origin.origin}: ${failed}. Trying again in ${Math.round(wait / 1_000)} s (${tried} of ${tries} tries).`);
			await sleep(wait);
		}
	};
}

/** What went wrong, if it may pass: nothing came, it was cut short, or the status says so. Else null. */
function failureOf(received: Received | Error): string | null {
	if (received instanceof Error) return `the request failed (${received.message})`;
	const { status, headers, body } = received;
	if (passes(status)) return `it answers ${status}`;
	const isJson = headers.get("content-type")?.startsWith("application/json") ?? false;
	return isJson && body === undefined ? `its answer of ${status} was cut short` : null;
}

/** @throws {Stop} where nothing will get through, whatever is sent */
function judge(origin: URL, kind: keyof typeof TOKENS, { status, headers, body }: Received): ReportAnswer {
	const ok = status >= 200 && status < 300;
	const { code, message } = { code: String(body?.["code"] ?? ""), message: String(body?.["message"] ?? "") };
	if (status === 401)
		throw new Stop(`${origin.origin} does not take the ${kind} token: it is none of its ${TOKENS[kind]}.`);
	if (code === "ROUTE_NOT_FOUND")
		throw new Stop(`${origin.origin} has no such route: it is an older version of edge-runs.`);
	if (status >= 300 && status < 400)
		throw new Stop(
			`${origin.origin} answers with a redirect to ${headers.get("location")}: use the address that it leads to.`,
		);
	const data = body?.["data"];
	const isAnswer = status === 204 || (typeof data === "object" && data !== null);
	const expected = ok ? isAnswer : OF_THE_BODY.has(status) && code;
	if (!expected) {
		const log = body?.["requestId"] ? ` (request ${body["requestId"]} in its log)` : "";
		throw new Stop(`${origin.origin} answers ${status} ${code || "as edge-runs never does"}${log}.`);
	}
	return { ok, status, code, message, data };
}

/** `Retry-After` as milliseconds from now: seconds or a date (RFC 9110, 10.2.3). 0 where there is none. */
function askedMilliseconds(headers: Headers): number {
	const text = headers.get("retry-after") ?? "";
	const asked = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
	return Math.min(Math.max(asked || 0, 0), MAX_ASKED_MILLISECONDS);
}

/** Sends once, and reads the answer to its end. An error says that it did not come, or not all of it. */
async function ask(origin: URL, token: string, method: string, path: string, body?: string): Promise<Received | Error> {
	try {
		const response = await fetch(new URL(path, origin), {
			method,
			body: body ?? null,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			// A redirect could carry the token to another host.
			redirect: "manual",
			signal: AbortSignal.timeout(ANSWER_MILLISECONDS),
		});
		return { status: response.status, headers: response.headers, body: parse(await response.text()) };
	} catch (error) {
		const { message, cause } = error as Error;
		return new Error(cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : message);
	}
}

function parse(text: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
	} catch {
		return undefined;
	}
}
