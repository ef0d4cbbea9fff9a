import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";

/** What better-auth needs of a Workers KV namespace. */
export interface Sessions {
	get(key: string): Promise<string | null>;
	put(key: string, value: string, options?: { expirationTtl?: number }): Promise<void>;
	delete(key: string): Promise<void>;
}

/** The account to try it with. */
const DEMO = { email: "ada@example.com", password: "correct horse battery", name: "Ada" };

/** better-auth, with its sessions where edge-runs reads them. */
export async function createAuth({ origin, secret, sessions }: { origin: string; secret: string; sessions: Sessions }) {
	const auth = betterAuth({
		baseURL: origin,
		// The same secret and the same namespace as edge-runs has: that is all that connects the two.
		secret,
		secondaryStorage: {
			get: (key) => sessions.get(key),
			// KV refuses to expire a key in under 60 seconds.
			set: (key, value, ttl) => sessions.put(key, value, ttl ? { expirationTtl: Math.max(ttl, 60) } : {}),
			delete: (key) => sessions.delete(key),
			increment: notInKv,
			getAndDelete: notInKv,
		},
		rateLimit: { storage: "database" },
		verification: { storeInDatabase: true },
		// Users are in memory. Yours are in your database.
		database: memoryAdapter({ user: [], account: [], verification: [], rateLimit: [] }),
		emailAndPassword: { enabled: true, autoSignIn: false },
		telemetry: { enabled: false },
	});
	await auth.api.signUpEmail({ body: DEMO });
	return auth;
}

/** KV has no atomic operations. `rateLimit` and `verification` above keep better-auth off them. */
function notInKv(): never {
	throw new Error("Workers KV cannot do this atomically: let better-auth use its database for it");
}
