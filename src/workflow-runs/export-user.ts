import { sql } from "drizzle-orm";
import { MAX_ANSWER_BYTES } from "#protocol/limits.ts";
import { PRIMARY } from "../db/bookmark.ts";
import { runBytes } from "../db/history-bytes.ts";
import { prepareSql } from "../db/prepared.ts";
import { askD1 } from "../db/read.ts";
import { isOutOfSubrequests } from "../db/write.ts";
import { logError, logInfo } from "../log.ts";
import type { Scope } from "../scope.ts";
import { decodeText, encodeText } from "./cursor.ts";
import { runJson } from "./json.ts";

/*
 * All that is stored of a user, as NDJSON in the form that `npm run import` takes. A run is a line, in the order of the
 * chats' ids and of each chat's list: a run whose start becomes known meanwhile only moves on in it, and is not missed.
 */

/** Runs, and chats without any, in a page. */
const PAGE_ROWS = 1_000;

/** Workers allow 1,000 D1 queries in an invocation, and a page takes two. The caller goes on with the last cursor. */
const MAX_PAGES = 450;

/** Where an export has come to: behind a run of a chat. Both are empty where there is none. */
export interface ExportPlace {
	readonly chatId: string;
	readonly startOrder: string;
	readonly runId: string;
}

export const EXPORT_START: ExportPlace = { chatId: "", startOrder: "", runId: "" };

const PLACE = /^([0-9a-f-]{36}) (~|[\d-]{10}T[\d:.]{12}Z)? ([0-9a-f-]{36})?$/;

/** The place that a line `{"nextCursor": …}` named; null if it is not one. */
export function decodePlace(cursor: string): ExportPlace | null {
	const [, chatId, startOrder = "", runId = ""] = PLACE.exec(decodeText(cursor) ?? "") ?? [];
	return chatId === undefined ? null : { chatId, startOrder, runId };
}

const encodePlace = ({ chatId, startOrder, runId }: ExportPlace) => encodeText(`${chatId} ${startOrder} ${runId}`);

interface Page {
	/** Whole lines. The last one has the cursor of the next page, or null. */
	readonly text: string;
	readonly next: ExportPlace | null;
}

/**
 * Streams all that is stored of a user. A page is read when the caller has taken the one before, so that memory is
 * bounded. Each page ends with a line `{"nextCursor": …}`; the last line of all has null there, and else says where to go
 * on: the stream was cut, or took as many queries as it may.
 * @throws {ServiceError} STORE_UNAVAILABLE. If D1 fails later, the stream breaks off
 */
export async function exportUser(scope: Scope, userId: string, from: ExportPlace): Promise<ReadableStream<Uint8Array>> {
	const encoder = new TextEncoder();
	let page: Page | null = await readPage(scope, userId, from);
	let place = page.next;
	let pages = 0;
	const log = () => logInfo(scope, { event: "export", pages, more: place !== null });
	return new ReadableStream<Uint8Array>({
		async pull(controller) {
			try {
				page ??= await readPage(scope, userId, place as ExportPlace);
			} catch (error) {
				if (!isOutOfSubrequests(error)) {
					logError(scope, { event: "export", pages }, error);
					throw error;
				}
				log();
				return controller.close();
			}
			controller.enqueue(encoder.encode(page.text));
			place = page.next;
			page = null;
			pages++;
			if (place !== null && pages < MAX_PAGES) return;
			log();
			controller.close();
		},
		cancel: log,
	});
}

/** A chat, with one of its runs if it has any. `bytes`: what the run takes. */
type Row = [chatId: string, deletedAt: string | null, startOrder: string | null, runId: string | null, bytes: number];

async function readPage(scope: Scope, userId: string, from: ExportPlace): Promise<Page> {
	const { found } = await askD1(scope, PRIMARY, async (session) => {
		// One more than fits, to know whether the last one is its chat's last.
		const rows = await rowsQuery(session, { ...from, userId, limit: PAGE_ROWS + 1 }).raw<Row>();
		const count = howManyFit(rows);
		const ids = JSON.stringify(rows.slice(0, count).map(([, , , runId]) => runId));
		const runs = await textsQuery(session, { ids }).raw<[id: string, json: string]>();
		return { rows, count, texts: new Map(runs) };
	});
	const { rows, count, texts } = found;
	const owner = JSON.stringify(userId);
	const lines = rows.slice(0, count).flatMap(([chatId, deletedAt, , runId], index) => {
		// One that has gone meanwhile has no text.
		const json = runId === null ? undefined : texts.get(runId);
		const run = json === undefined ? [] : [`{"userId":${owner},${json.slice(1)}`];
		const isLastOfChat = rows[index + 1]?.[0] !== chatId;
		const needsLine = isLastOfChat && (deletedAt !== null || runId === null);
		const deleted = deletedAt === null ? "" : `,"deletedAt":"${deletedAt}"`;
		return needsLine ? [...run, `{"userId":${owner},"chatId":"${chatId}"${deleted}}`] : run;
	});
	const [chatId, , startOrder, runId] = rows[count - 1] ?? [];
	const isOver = count === rows.length || chatId === undefined;
	const next = isOver ? null : { chatId, startOrder: startOrder ?? "", runId: runId ?? "" };
	lines.push(JSON.stringify({ nextCursor: next && encodePlace(next) }));
	return { text: `${lines.join("\n")}\n`, next };
}

/** The first one fits, whatever it takes: a page must not be empty. */
function howManyFit(rows: readonly Row[]): number {
	let total = 0;
	const end = rows.findIndex(([, , , , bytes], index) => {
		total += bytes;
		return index >= PAGE_ROWS || (index > 0 && total > MAX_ANSWER_BYTES);
	});
	return end === -1 ? rows.length : end;
}

const COLUMNS = sql`chats.id, chats.deleted_at, workflow_runs.start_order, workflow_runs.id, ifnull(${runBytes}, 0)`;
const ORDER = sql.raw("workflow_runs.start_order desc, workflow_runs.id desc");

/** The rest of the chat that the last page ended in, then the chats behind it. By indexes, in their order. */
const rowsQuery = prepareSql(sql`select * from (
		select ${COLUMNS} from chats join workflow_runs on workflow_runs.chat_id = chats.id
		where chats.user_id = ${sql.placeholder("userId")} and chats.id = ${sql.placeholder("chatId")}
			and (workflow_runs.start_order, workflow_runs.id) < (${sql.placeholder("startOrder")}, ${sql.placeholder("runId")})
		order by ${ORDER} limit ${sql.placeholder("limit")}
	) union all select * from (
		select ${COLUMNS} from chats left join workflow_runs on workflow_runs.chat_id = chats.id
		where chats.user_id = ${sql.placeholder("userId")} and chats.id > ${sql.placeholder("chatId")}
		order by chats.id, ${ORDER} limit ${sql.placeholder("limit")}
	) limit ${sql.placeholder("limit")}`);

const textsQuery = prepareSql(
	sql`select workflow_runs.id, ${runJson} from workflow_runs
		where workflow_runs.id in (select value from json_each(${sql.placeholder("ids")}))`,
);
