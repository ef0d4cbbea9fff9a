import type { Context } from "hono";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { Uuid } from "../uuid.ts";
import { decodeCursor } from "../workflow-runs/cursor.ts";
import { readHistory } from "../workflow-runs/history.ts";
import { parseList } from "../workflow-runs/json.ts";
import { STATUSES, Status } from "../workflow-runs/schemas.ts";
import { toHtml } from "./document.tsx";
import { RunsPage } from "./runs-page.tsx";
import { type Choice, RUNS_PER_PAGE, viewOf } from "./view.ts";

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
	const page = (
		<RunsPage
			chatId={id.data}
			view={viewOf(parseList(history.body), choice)}
			status={choice.status}
			now={Date.now()}
			copiedAt={history.cacheUse === "stale" ? history.checkedAt : null}
		/>
	);
	// Not even the browser keeps it: Back shows a kept page without asking, after a sign-out too.
	return c.html(toHtml(page), 200, { "cache-control": "no-store" });
}

/** @throws {ServiceError} INVALID_PARAMETER */
function readChoice(status: string | undefined, before: string | undefined): Choice {
	const choice = { status: Status.nullable().safeParse(status ?? null), after: before ? decodeCursor(before) : null };
	if (!choice.status.success)
		throw new ServiceError("INVALID_PARAMETER", `status: must be one of ${STATUSES.join(", ")}`);
	if (before && !choice.after)
		throw new ServiceError("INVALID_PARAMETER", "before: is not a cursor that this service gave out");
	return { status: choice.status.data, after: choice.after, limit: RUNS_PER_PAGE };
}
