import { requireToken } from "./require-token.ts";

/** Lets a request pass that carries one of the service tokens: an engine's. */
export const requireRecorder = requireToken({ name: "service", tokens: "recorderTokens", limiter: "WRITE_LIMIT" });
