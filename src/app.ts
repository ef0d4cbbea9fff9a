import { OpenAPIHono } from "@hono/zod-openapi";
import { requestId } from "hono/request-id";
import type { AppEnv } from "./app-env.ts";
import { allowOrigins, secureApi } from "./browsers.ts";
import { deleteChatRoute, removeChat } from "./chats/delete.ts";
import { putChat, registerChatRoute } from "./chats/register.ts";
import { notFound, onError, onInvalidInput, refuseOtherMethods } from "./handle-errors.ts";
import { health, healthRoute } from "./health.ts";
import { openScope } from "./log.ts";
import { serveOpenApi } from "./openapi.ts";
import { pages } from "./page/routes.ts";
import { getWorkflowRun, getWorkflowRunRoute } from "./workflow-runs/get.ts";
import { listWorkflowRuns, listWorkflowRunsRoute } from "./workflow-runs/list.ts";
import { patchWorkflowRuns, patchWorkflowRunsRoute } from "./workflow-runs/patch.ts";
import { putWorkflowRun, putWorkflowRunRoute } from "./workflow-runs/put.ts";
import { streamWorkflowRuns, streamWorkflowRunsRoute } from "./workflow-runs/stream.ts";
import { streamWorkflowRun, streamWorkflowRunRoute } from "./workflow-runs/stream-run.ts";

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
