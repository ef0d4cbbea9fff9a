import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { unstable_splitSqlQuery } from "wrangler";
import type { D1 } from "./database.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

interface D1Api {
	/** What wrangler's environment needs to use it. */
	readonly env: Readonly<Record<string, string>>;
	/** How long each query took. */
	milliseconds(): readonly number[];
	close(): unknown;
}

/**
 * As much of Cloudflare's API as `npm run db:migrate` needs, over the local D1 that a Worker is using meanwhile: as in
 * D1 itself, one query at a time, and a migration as one of them.
 */
export async function serveD1Api(d1: D1, name: string): Promise<D1Api> {
	const spent: number[] = [];
	const answer = async (path: string, method: string | undefined, body: string): Promise<unknown> => {
		const database = { name, uuid: "drill" };
		if (method === "GET") return path === "/d1/database" ? [database] : database;
		const statements = unstable_splitSqlQuery(JSON.parse(body).sql);
		const start = performance.now();
		const results = await d1.batch(statements.map((statement) => d1.prepare(statement)));
		spent.push(performance.now() - start);
		return results.map(({ results, meta }) => ({ success: true, results, meta }));
	};
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk);
		const { pathname } = new URL(request.url ?? "/", "http://api");
		const reply = (status: number, body: object) =>
			response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ messages: [], ...body }));
		try {
			const path = pathname.replace(`/accounts/${ACCOUNT}`, "");
			const result = await answer(path, request.method, Buffer.concat(chunks).toString());
			reply(200, { success: true, errors: [], result });
		} catch (error) {
			reply(400, { success: false, errors: [{ code: 7500, message: String(error) }], result: null });
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
		milliseconds: () => spent,
		close: () => server.close(),
	};
}
