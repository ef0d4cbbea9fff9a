import { OpenAPIHono } from "@hono/zod-openapi";
import { requestId } from "hono/request-id";
import { countActiveWorkflowRunsRoute, handleCountActiveWorkflowRuns } from "./api/count-active-workflow-runs.ts";
import { deleteChatRoute, handleDeleteChat } from "./api/delete-chat.ts";
import { eraseUserRoute, handleEraseUser } from "./api/erase-user.ts";
import { exportUserRoute, handleExportUser } from "./api/export-user.ts";
import { getHealthRoute, handleGetHealth } from "./api/get-health.ts";
import { serveOpenApiDocument } from "./api/get-openapi-document.ts";
import { getWorkflowRunRoute, handleGetWorkflowRun } from "./api/get-workflow-run.ts";
import { handleInspectChat, inspectChatRoute } from "./api/inspect-chat.ts";
import { handleInspectService, inspectServiceRoute } from "./api/inspect-service.ts";
import { handleInspectUser, inspectUserRoute } from "./api/inspect-user.ts";
import { handleInspectWorkflowRun, inspectWorkflowRunRoute } from "./api/inspect-workflow-run.ts";
import { handleListUserWorkflowRuns, listUserWorkflowRunsRoute } from "./api/list-user-workflow-runs.ts";
import { handleListWorkflowRuns, listWorkflowRunsRoute } from "./api/list-workflow-runs.ts";
import { handleRecordAgUiEvents, recordAgUiEventsRoute } from "./api/record-ag-ui-events.ts";
import { handleRecordWorkflowRun, recordWorkflowRunRoute } from "./api/record-workflow-run.ts";
import { handleRecordWorkflowRuns, recordWorkflowRunsRoute } from "./api/record-workflow-runs.ts";
import { handleRegisterChat, registerChatRoute } from "./api/register-chat.ts";
import { handleStreamWorkflowRun, streamWorkflowRunRoute } from "./api/stream-workflow-run.ts";
import { handleStreamWorkflowRuns, streamWorkflowRunsRoute } from "./api/stream-workflow-runs.ts";
import type { AppEnv } from "./http/app-env.ts";
import { allowOrigins } from "./http/cors.ts";
import { notFound, onError, onInvalidInput, refuseOtherMethods } from "./http/errors.ts";
import { openScope } from "./http/request-log.ts";
import { secureApi } from "./http/security-headers.ts";
import { pages } from "./page/routes.ts";

/** The whole request path: an id and a log line for each request, the routes, and what becomes of errors. */
const base = new OpenAPIHono<AppEnv>({ defaultHook: onInvalidInput });
base.onError(onError);
base.notFound(notFound);
base.use(requestId(), openScope);
base.use("/api/*", secureApi, allowOrigins);

export const app = base
	.openapi(listWorkflowRunsRoute, handleListWorkflowRuns)
	.openapi(streamWorkflowRunsRoute, handleStreamWorkflowRuns)
	.openapi(streamWorkflowRunRoute, handleStreamWorkflowRun)
	.openapi(getWorkflowRunRoute, handleGetWorkflowRun)
	.openapi(listUserWorkflowRunsRoute, handleListUserWorkflowRuns)
	.openapi(countActiveWorkflowRunsRoute, handleCountActiveWorkflowRuns)
	.openapi(recordWorkflowRunRoute, handleRecordWorkflowRun)
	.openapi(recordWorkflowRunsRoute, handleRecordWorkflowRuns)
	.openapi(recordAgUiEventsRoute, handleRecordAgUiEvents)
	.openapi(registerChatRoute, handleRegisterChat)
	.openapi(deleteChatRoute, handleDeleteChat)
	.openapi(inspectChatRoute, handleInspectChat)
	.openapi(inspectWorkflowRunRoute, handleInspectWorkflowRun)
	.openapi(inspectUserRoute, handleInspectUser)
	.openapi(inspectServiceRoute, handleInspectService)
	.openapi(eraseUserRoute, handleEraseUser)
	.openapi(exportUserRoute, handleExportUser)
	.openapi(getHealthRoute, handleGetHealth);

serveOpenApiDocument(app);
app.route("/chats", pages);
refuseOtherMethods(app);
