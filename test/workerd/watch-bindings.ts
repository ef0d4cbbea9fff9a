import { env } from "cloudflare:workers";

/** A D1 statement as the service ran it. */
export interface Query {
	sql: string;
	params: unknown[];
}

/** What the service asked of its stores. */
export interface Calls {
	/** Keys read from KV. */
	kv: string[];
	/** One entry a D1 round trip. */
	d1: Query[][];
}

/** Called before the real binding is: a promise delays the call, a throw fails it. */
export interface Hooks {
	onKv?: (key: string) => unknown;
	onD1?: (queries: Query[]) => unknown;
	/** Called when D1 has done its work: a throw loses its answer. */
	afterD1?: (queries: Query[]) => unknown;
	/** Called when D1 has done its work or refused it, whoever still waits for it. */
	settledD1?: () => void;
}

/**
 * The real bindings, with each call recorded and, by `hooks`, delayed or failed.
 * For `requestWith({ DB, SESSIONS }, …)`.
 */
export function watchBindings(hooks: Hooks = {}): { DB: D1Database; SESSIONS: KVNamespace; calls: Calls } {
	const calls: Calls = { kv: [], d1: [] };

	const SESSIONS = intercept(env.SESSIONS, {
		get: async (key: string, ...options: never[]) => {
			calls.kv.push(key);
			await hooks.onKv?.(key);
			return env.SESSIONS.get(key, ...options);
		},
	});

	const queries = new WeakMap<object, Query>();
	const reals = new WeakMap<object, D1PreparedStatement>();

	async function roundTrip<T>(statements: Query[], run: () => Promise<T>): Promise<T> {
		calls.d1.push(statements);
		await hooks.onD1?.(statements);
		const result = await run().finally(hooks.settledD1);
		await hooks.afterD1?.(statements);
		return result;
	}

	function statement(real: D1PreparedStatement, query: Query): D1PreparedStatement {
		const one = (method: "all" | "first" | "raw" | "run") => (options: never) =>
			roundTrip([query], () => (real[method] as (options: never) => Promise<unknown>).call(real, options));
		const watched = intercept(real, {
			bind: (...params: unknown[]) => statement(real.bind(...params), { ...query, params }),
			all: one("all"),
			first: one("first"),
			raw: one("raw"),
			run: one("run"),
		});
		queries.set(watched, query);
		reals.set(watched, real);
		return watched;
	}

	function session<S extends D1Database | D1DatabaseSession>(real: S): S {
		return intercept(real, {
			prepare: (sql: string) => statement(real.prepare(sql), { sql, params: [] }),
			batch: (statements: D1PreparedStatement[]) =>
				roundTrip(
					statements.map((each) => queries.get(each) as Query),
					() => real.batch(statements.map((each) => reals.get(each) as D1PreparedStatement)),
				),
			withSession: (constraint: string) => session((real as D1Database).withSession(constraint)),
		});
	}

	return { DB: session(env.DB), SESSIONS, calls };
}

/** An object whose named methods are replaced, and whose others are called on the object itself. */
function intercept<T extends object>(target: T, methods: Record<string, (...args: never[]) => unknown>): T {
	return new Proxy(target, {
		get(_, name) {
			if (typeof name === "string" && Object.hasOwn(methods, name) && name in target) return methods[name];
			const value: unknown = Reflect.get(target, name, target);
			return typeof value === "function" ? value.bind(target) : value;
		},
	});
}
