import { type Agent, type IncomingHttpHeaders, request } from "node:http";

/** What a request of the load is, and what its answer must be. */
export interface Ask {
	readonly url: URL;
	readonly headers: Readonly<Record<string, string>>;
	readonly status: number;
	/** The body's length. */
	readonly bytes: number;
	readonly cacheStatus?: RegExp | undefined;
}

export interface HttpAnswer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly body: Buffer;
}

/** One request over a connection of the agent's. */
export function ask(
	agent: Agent,
	url: URL,
	headers: Record<string, string>,
	method = "GET",
	body = "",
): Promise<HttpAnswer> {
	return new Promise((resolve, reject) => {
		const sent = request(url, { agent, method, headers }, (response) => {
			const chunks: Buffer[] = [];
			response.on("data", (chunk) => chunks.push(chunk));
			response.on("end", () => {
				resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
			});
			response.on("error", reject);
		});
		sent.on("error", reject);
		sent.end(body);
	});
}
