import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** An error as Cloudflare's API answers it. */
export class ApiError extends Error {
	readonly status: number;
	readonly code: number;

	constructor(status: number, code: number, message: string) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

export interface ApiRequest {
	readonly method: string;
	/** Without the account. */
	readonly path: string;
	readonly body: Buffer;
	readonly contentType: string;
}

export interface Api {
	/** What wrangler's environment needs to use it. */
	readonly env: Readonly<Record<string, string>>;
	close(): void;
}

/**
 * Serves a stand-in of Cloudflare's API (https://developers.cloudflare.com/api/), for wrangler itself to talk to.
 * @param answer gives a request's result; an `ApiError` that it throws is answered as such
 */
export async function serveCloudflareApi(answer: (request: ApiRequest) => Promise<unknown>): Promise<Api> {
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk);
		const { pathname } = new URL(request.url ?? "/", "http://api");
		const reply = (status: number, body: object) =>
			response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ messages: [], ...body }));
		try {
			const result = await answer({
				method: request.method ?? "",
				path: pathname.replace(`/accounts/${ACCOUNT}`, ""),
				body: Buffer.concat(chunks),
				contentType: request.headers["content-type"] ?? "",
			});
			reply(200, { success: true, errors: [], result });
		} catch (error) {
			const { status = 500, code = 0, message } = error as ApiError;
			reply(status, { success: false, errors: [{ code, message }], result: null });
		}
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		env: {
			CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
			CLOUDFLARE_API_TOKEN: "a-token",
			CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
		},
		close: () => server.close(),
	};
}
