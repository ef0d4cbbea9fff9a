import { EdgeRunsError, toError, toUnexpected } from "./errors.ts";

export interface ServiceOptions {
	/** Sent with each request, e.g. `{ authorization: "Bearer …" }` by a recorder, or `{ cookie }` outside of a browser. */
	headers?: Record<string, string> | undefined;
	/**
	 * A read token, sent as `authorization: Bearer …`. A function is called before each request, so that it can return
	 * a new token when the old one is about to end. It is called once more, with the token that was sent, where the
	 * service answers that one with a 401; if it then returns another, the request is sent again.
	 */
	token?: string | ((refused?: string) => string | Promise<string>) | undefined;
	/** `"include"` for a page on another origin. The service must allow that origin. */
	credentials?: "include" | "same-origin" | "omit" | undefined;
	/** Used instead of the global `fetch`, e.g. a service binding's. */
	fetch?: typeof fetch | undefined;
}

export interface Call {
	method?: "GET" | "PUT";
	headers?: Record<string, string>;
	body?: string;
	signal?: AbortSignal | undefined;
}

/** Sends a request to `path`, below the service's address; resolves with the answer, whatever its status. */
export type Send = (path: string, call?: Call) => Promise<Response>;

/** @throws {TypeError} at once, if `baseUrl` is not an address */
export function connectTo(baseUrl: string, options: ServiceOptions = {}): Send {
	const base = readBase(baseUrl);
	const { credentials, token, fetch: request = (input, init) => fetch(input, init) } = options;
	return async (path, { headers, signal, ...call } = {}) => {
		const ask = (bearer: string | undefined) =>
			request(base + path, {
				...call,
				headers: {
					...options.headers,
					...headers,
					...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
				},
				// Each only if it is set: Workers do not know `credentials`, and refuse it.
				...(credentials && { credentials }),
				...(signal && { signal }),
			});
		const sent = typeof token === "function" ? await token() : token;
		const response = await ask(sent);
		if (response.status !== 401 || typeof token !== "function") return response;
		// It ended on the way, our clock is behind, or the secret was changed.
		const renewed = await token(sent);
		if (renewed === sent) return response;
		await response.body?.cancel();
		return ask(renewed);
	};
}

/** The service's address without a slash at its end. */
function readBase(baseUrl: unknown): string {
	const wrong = (why: string) =>
		new TypeError(
			`createClient needs the service's address, such as "https://runs.example.com": ${show(baseUrl)} ${why}`,
		);
	if (typeof baseUrl !== "string") throw wrong("is not a string. Is an environment variable missing?");
	// Only a browser can resolve a path such as "/". Anything else must be a whole URL: "runs.example.com" is a path, too.
	const here = baseUrl.startsWith("/") ? (globalThis as { location?: { href: string } }).location?.href : undefined;
	if (!URL.canParse(baseUrl, here)) throw wrong('is not a URL. Does it lack its "https://"?');
	const url = new URL(baseUrl, here);
	if (url.protocol !== "https:" && url.protocol !== "http:") throw wrong("is neither http nor https");
	if (url.username || url.password) throw wrong("has a user name in it, which fetch refuses");
	if (url.search || url.hash) throw wrong("has a query or a fragment");
	return url.origin + url.pathname.replace(/\/+$/, "");
}

/**
 * The `data` of a successful answer.
 * @throws {EdgeRunsError} if the service refuses, or the answer is not from the service
 */
export async function readData<T>(response: Response): Promise<T> {
	if (!response.ok) throw await toError(response);
	const body = (await response.json().catch((error: unknown) => {
		// If the connection broke, this is an error of fetch.
		if (error instanceof SyntaxError) return null;
		throw error;
	})) as { data?: T } | null;
	if (body?.data === undefined) throw toUnexpected(response, "JSON of edge-runs");
	return body.data;
}

/** Runs that have not ended, of each status up to 1,000. */
export interface ActiveCounts {
	pending: number;
	running: number;
}

/** @throws {EdgeRunsError} as `readData` */
export const countActive = async (send: Send, call?: Call): Promise<ActiveCounts> =>
	readData(await send("/api/workflow-runs/active", call));

/** Any UUID. The service checks the version. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/*
 * Paths. Ids are checked first: an id such as `../../x` would lead to another path. A wrong one is an EdgeRunsError with
 * `INVALID_CHAT_ID` or `INVALID_RUN_ID`, as from the service.
 */

export const chatPath = (chatId: string) => `/api/chats/${checkId(chatId, "INVALID_CHAT_ID", "chat")}`;

export const runsPath = (chatId: string) => `${chatPath(chatId)}/workflow-runs`;

export const runPath = (chatId: string, runId: string) =>
	`${runsPath(chatId)}/${checkId(runId, "INVALID_RUN_ID", "workflow run")}`;

function checkId(id: unknown, code: "INVALID_CHAT_ID" | "INVALID_RUN_ID", kind: string): string {
	if (typeof id === "string" && UUID.test(id)) return encodeURIComponent(id);
	throw new EdgeRunsError(code, `Invalid ${kind} ID format: ${show(id)} is not a UUID`, 400);
}

/** A wrong value, for a message. */
const show = (value: unknown) => (typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : String(value));
