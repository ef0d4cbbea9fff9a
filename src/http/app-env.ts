import type { Env } from "../env.ts";
import type { Scope, Session } from "../scope.ts";

/** Hono's type environment: the Worker's bindings, and what middleware leaves for handlers. */
export interface AppEnv {
	Bindings: Env;
	Variables: {
		requestId: string;
		/** Set by `openScope`. */
		scope: Scope;
		/** Set by `requireSession`; rejects with a ServiceError. */
		session: Promise<Session>;
		/** Set by `requireSession`: asks KV again, for a response that outlasts the first answer. */
		rereadSession: () => Promise<Session>;
	};
}
