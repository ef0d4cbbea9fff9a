import { env } from "cloudflare:workers";
import { request } from "../helpers.ts";
import { OPERATOR_TOKENS } from "../recording/recorder.ts";

/** An operator's request, for `request` and `requestWith`. */
export const operating = (method: string, token: string = OPERATOR_TOKENS[0]): RequestInit => ({
	method,
	headers: { authorization: `Bearer ${token}` },
});

export const userPath = (userId: string) => `/api/users/${encodeURIComponent(userId)}`;
export const erasePath = (chatId: string) => `/api/chats/${chatId}?erase=true`;

export interface Receipt {
	chats: number;
	workflowRuns: number;
	more: boolean;
}

/** What a request of an operator has erased. */
export async function receiptOf(response: Response): Promise<[status: number, Receipt]> {
	return [response.status, (await response.json<{ data: Receipt }>()).data];
}

export const eraseUser = async (userId: string) => receiptOf(await request(userPath(userId), operating("DELETE")));
export const eraseChat = async (chatId: string) => receiptOf(await request(erasePath(chatId), operating("DELETE")));

/** The rows of a query by SQL. */
export async function rows<T = Record<string, unknown>>(sql: string, ...params: unknown[]): Promise<T[]> {
	return (
		await env.DB.prepare(sql)
			.bind(...params)
			.all<T>()
	).results;
}

/** All that D1 has of a user. */
export async function storedOf(userId: string) {
	const [chats, runs, entries] = await Promise.all([
		rows("select id from chats where user_id = ?", userId),
		rows("select workflow_runs.id from workflow_runs join chats on chats.id = chat_id where user_id = ?", userId),
		rows("select run_id from user_runs where user_id = ?", userId),
	]);
	return { chats: chats.length, runs: runs.length, entries: entries.length };
}
