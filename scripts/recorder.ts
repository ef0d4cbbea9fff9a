import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";

/** Stops a script that reports runs. The message is for the person who started it. */
export class Stop extends Error {
	override readonly name = "Stop";
}

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

/** Checks the service's address. @throws {Stop} */
export function parseOrigin(url: string): URL {
	const parsed = URL.canParse(url) ? new URL(url) : null;
	if (!parsed || !/^https?:$/.test(parsed.protocol))
		throw new Stop(`--url takes an address such as https://runs.example.com, not "${url}".`);
	if (parsed.protocol === "http:" && !LOCAL.includes(parsed.hostname)) {
		throw new Stop(`--url ${url}: the service token would cross the network in clear. Use https.`);
	}
	return new URL(parsed.origin);
}

/**
 * The service token: the environment's RECORDER_TOKEN, or for a local service the first one in `.dev.vars`. It is never an
 * argument, since every user of the machine can read those in the list of processes.
 * @throws {Stop} if no token is set
 */
export function recorderToken(origin: URL): string {
	const given = process.env["RECORDER_TOKEN"]?.trim();
	if (given) return given;
	const file = path.join(path.dirname(import.meta.dirname), ".dev.vars");
	if (LOCAL.includes(origin.hostname) && existsSync(file)) {
		const token = parseEnv(readFileSync(file, "utf8"))["RECORDER_TOKENS"]?.split(",")[0]?.trim();
		if (token) return token;
	}
	throw new Stop(
		LOCAL.includes(origin.hostname)
			? "No service token: set RECORDER_TOKEN in the environment, or let `npm run dev` write .dev.vars."
			: "No service token: set RECORDER_TOKEN in the environment, to one of the service's RECORDER_TOKENS.",
	);
}

/** The service's answer to a report: stored, or refused. */
export interface ReportAnswer {
	readonly ok: boolean;
	readonly status: number;
	/** The error's code, if it was refused. */
	readonly code: string;
	/** The error's message, if it was refused. */
	readonly message: string;
	/** The body's `data`, if it was stored. */
	readonly data: unknown;
}

export type Send = (method: "PUT" | "PATCH", path: string, body: string) => Promise<ReportAnswer>;

/** If the service answers none of this number of tries in a row, it is down for too long to wait. */
const TRIES = 8;
const BASE_MILLISECONDS = 250;
const MAX_MILLISECONDS = 15_000;
const ANSWER_MILLISECONDS = 60_000;

/** Statuses that may pass. Reports are merged, so they can be sent again. */
const PASSING = new Set([429, 502, 503, 504]);
/** Statuses that refuse this body. With any other status, no body would get through. */
const OF_THE_BODY = new Set([400, 404, 409, 413]);

/**
 * Sends recorders' requests, and again while the service or the network is busy: after `Retry-After`, or after twice as long
 * each time, with jitter.
 * @param tries how often in all, at most
 * @returns a function that throws Stop if the service cannot be reached, refuses the token, or is not edge-runs
 */
export function sender(origin: URL, token: string, tries = TRIES): Send {
	return async function send(method, path, body) {
		for (let tried = 1; ; tried++) {
			const response = await ask(origin, token, method, path, body);
			const failed = response instanceof Error ? response.message : `it answers ${response.status}`;
			if (!(response instanceof Error) && !PASSING.has(response.status)) return await read(response);
			if (tried >= tries) throw new Stop(`${origin.origin} cannot be reached: ${failed}, ${tried} times in a row.`);
			const asked = response instanceof Error ? 0 : Number(response.headers.get("retry-after")) * 1_000 || 0;
			const backoff = Math.min(BASE_MILLISECONDS * 2 ** tried, MAX_MILLISECONDS) * (0.5 + Math.random() / 2);
			await sleep(Math.max(asked, backoff));
		}
	};

	async function read(response: Response): Promise<ReportAnswer> {
		const { status, ok } = response;
		const body = (await response.json().catch(() => null)) as Record<string, unknown> | null;
		const { code, message } = { code: String(body?.["code"] ?? ""), message: String(body?.["message"] ?? "") };
		if (status === 401) throw new Stop(`${origin.origin} does not take the service token.`);
		if (status >= 300 && status < 400)
			throw new Stop(
				`${origin.origin} answers with a redirect to ${response.headers.get("location")}: use the address that it leads to.`,
			);
		if (!ok && !(OF_THE_BODY.has(status) && code && code !== "ROUTE_NOT_FOUND")) {
			const log = body?.["requestId"] ? ` (request ${body["requestId"]} in its log)` : "";
			throw new Stop(`${origin.origin} answers ${status} ${code || "as edge-runs never does"}${log}.`);
		}
		return { ok, status, code, message, data: body?.["data"] };
	}
}

async function ask(origin: URL, token: string, method: string, path: string, body: string): Promise<Response | Error> {
	try {
		return await fetch(new URL(path, origin), {
			method,
			body,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			// A redirect could carry the token to another host.
			redirect: "manual",
			signal: AbortSignal.timeout(ANSWER_MILLISECONDS),
		});
	} catch (error) {
		const { message, cause } = error as Error;
		return new Error(cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : message);
	}
}
