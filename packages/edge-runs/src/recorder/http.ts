import { Refusal } from "./errors.ts";
import { type Recorded, type Transport, toRecorded } from "./transport.ts";

/** Parsing a larger answer would take longer than the workflow should notice: a millisecond or two. */
const MAX_READ_CHARACTERS = 200_000;

interface HttpOptions {
	readonly url: URL;
	readonly token: string;
	readonly send: typeof fetch;
	readonly timeoutMilliseconds: number;
}

/** The HTTP API, with a service token. */
export function overHttp({ url, token, send, timeoutMilliseconds }: HttpOptions): Transport {
	const base = url.href.replace(/\/+$/, "");

	async function request(method: string, path: string, body: string): Promise<string> {
		const response = await send(`${base}/api/chats/${path}`, {
			method,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			body,
			// Only the service may get the token, and a PATCH must not become a GET.
			redirect: "manual",
			signal: AbortSignal.timeout(timeoutMilliseconds),
		});
		// Always read to its end, or the connection cannot be used again.
		const text = await response.text();
		if (response.ok) return text;
		throw toRefusal(response, text);
	}

	return {
		key: base,
		async registerChat(chatId, userId) {
			await request("PUT", chatId, JSON.stringify({ userId }));
		},
		async record(chatId, parts) {
			const body = `{"workflowRuns":[${parts.map(({ json }) => json).join()}]}`;
			return parseRecorded(await request("PATCH", `${chatId}/workflow-runs`, body));
		},
	};
}

function parseRecorded(text: string): Recorded {
	if (text.length > MAX_READ_CHARACTERS) return toRecorded(null);
	return toRecorded((JSON.parse(text) as { data?: unknown }).data);
}

function toRefusal({ status, headers }: Response, text: string): Refusal {
	let body: { code?: unknown; message?: unknown } | null = null;
	try {
		body = JSON.parse(text);
	} catch {
		// A proxy's page, perhaps.
	}
	const retryAfter = parseRetryAfter(headers.get("retry-after"), Date.now());
	if (typeof body?.code === "string") return new Refusal(body.code, String(body.message), status, retryAfter);
	return new Refusal(null, `status ${status}, not by edge-runs`, status, retryAfter);
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. @returns milliseconds */
function parseRetryAfter(value: string | null, now: number): number | null {
	if (value === null) return null;
	const milliseconds = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
	return Number.isNaN(milliseconds) ? null : Math.max(milliseconds, 0);
}
