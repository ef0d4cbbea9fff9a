import type { Context } from "hono";
import { type Choice, RUNS_PER_PAGE, viewOf } from "#timeline/view.ts";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { Uuid } from "../uuid.ts";
import { decodeCursor, encodeCursor, orderedAt } from "../workflow-runs/cursor.ts";
import { readHistory } from "../workflow-runs/history.ts";
import { parseList } from "../workflow-runs/json.ts";
import { STATUSES, Status } from "../workflow-runs/schemas.ts";
import { toHtml } from "./document.tsx";
import { RunsPage } from "./runs-page.tsx";

/**
 * `GET /chats/:chatId`: a chat's workflow runs for its owner, as a page. Checks come in the API's order.
 * Query: `status` shows one status only, `before` the runs behind a cursor.
 * @throws {ServiceError} the same errors as the API's list
 */
export async function showRuns(c: Context<AppEnv>): Promise<Response> {
	const { scope, session } = c.var;
	const id = Uuid.safeParse(c.req.param("chatId"));
	if (!id.success) {
		await session;
		throw new ServiceError("INVALID_CHAT_ID");
	}
	const history = await readHistory(scope, session, id.data);
	const choice = readChoice(c.req.query("status"), c.req.query("before"));
	const view = viewOf(parseList(history.body), choice);
	const runs = view.runs.slice(0, RUNS_PER_PAGE);
	const last = runs.at(-1);
	const page = (
		<RunsPage
			chatId={id.data}
			view={view}
			choice={choice}
			runs={runs}
			next={last && view.runs.length > runs.length ? encodeCursor(last) : null}
			now={Date.now()}
			copiedAt={history.cacheUse === "stale" ? history.checkedAt : null}
		/>
	);
	// Not even the browser keeps it: Back shows a kept page without asking, after a sign-out too.
	return c.html(toHtml(page), 200, { "cache-control": "no-store" });
}

/** @throws {ServiceError} INVALID_PARAMETER */
function readChoice(status: string | undefined, before: string | undefined): Choice {
	const wanted = Status.nullable().safeParse(status ?? null);
	if (!wanted.success) throw new ServiceError("INVALID_PARAMETER", `status: must be one of ${STATUSES.join(", ")}`);
	const position = before ? decodeCursor(before) : null;
	if (before && !position)
		throw new ServiceError("INVALID_PARAMETER", "before: is not a cursor that this service gave out");
	return { status: wanted.data, after: position && orderedAt(position), search: "" };
}
