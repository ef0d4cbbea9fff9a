import type { Env } from "../env.ts";
import type { Scope, Session } from "../scope.ts";

/** Hono's type environment: the Worker's bindings, and the values that middleware sets for handlers. */
export interface AppEnv {
	Bindings: Env;
	Variables: {
		requestId: string;
		/** Set by `openScope`. */
		scope: Scope;
		/** Set by `requireSession` and `requireReader`; rejects with a ServiceError. */
		session: Promise<Session>;
		/** Beside `session`: checks it again, a cookie's by KV. For streams, which last longer than the first answer of KV holds. */
		rereadSession: () => Promise<Session>;
	};
}
