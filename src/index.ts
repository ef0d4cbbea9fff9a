import { app } from "./app";
import type { Env } from "./env";

export { WorkflowRunRecorder } from "./recorder/rpc";

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
