import { OpenAPIHono } from "@hono/zod-openapi";
import { requestId } from "hono/request-id";
import type { AppEnv } from "./app-env";
import { allowOrigins, secureApi } from "./browsers";
import { deleteChatRoute, removeChat } from "./chats/delete";
import { putChat, registerChatRoute } from "./chats/register";
import { notFound, onError, onInvalidInput, refuseOtherMethods } from "./handle-errors";
import { health, healthRoute } from "./health";
import { openScope } from "./log";
import { serveOpenApi } from "./openapi";
import { pages } from "./page/routes";
import { getWorkflowRun, getWorkflowRunRoute } from "./workflow-runs/get";
import { listWorkflowRuns, listWorkflowRunsRoute } from "./workflow-runs/list";
import { patchWorkflowRuns, patchWorkflowRunsRoute } from "./workflow-runs/patch";
import { putWorkflowRun, putWorkflowRunRoute } from "./workflow-runs/put";
import { streamWorkflowRuns, streamWorkflowRunsRoute } from "./workflow-runs/stream";
import { streamWorkflowRun, streamWorkflowRunRoute } from "./workflow-runs/stream-run";

/** The whole request path: an id and a log line for each request, the routes, and what becomes of errors. */
const base = new OpenAPIHono<AppEnv>({ defaultHook: onInvalidInput });
base.onError(onError);
base.notFound(notFound);
base.use(requestId(), openScope);
base.use("/api/*", secureApi, allowOrigins);

export const app = base
	.openapi(listWorkflowRunsRoute, listWorkflowRuns)
	.openapi(streamWorkflowRunsRoute, streamWorkflowRuns)
	.openapi(streamWorkflowRunRoute, streamWorkflowRun)
	.openapi(getWorkflowRunRoute, getWorkflowRun)
	.openapi(putWorkflowRunRoute, putWorkflowRun)
	.openapi(patchWorkflowRunsRoute, patchWorkflowRuns)
	.openapi(registerChatRoute, putChat)
	.openapi(deleteChatRoute, removeChat)
	.openapi(healthRoute, health);

serveOpenApi(app);
app.route("/chats", pages);
refuseOtherMethods(app);

/** The routes' types, for Hono's client. */
export type AppType = typeof app;
