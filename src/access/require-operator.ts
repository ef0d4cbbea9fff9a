import { requireToken } from "./require-token.ts";

/** Lets a request pass that carries one of the operator tokens. A service token opens nothing here, and this one nothing else. */
export const requireOperator = requireToken({ name: "operator", tokens: "operatorTokens", limiter: "OPERATOR_LIMIT" });
