/*
 * To be imported before a Worker, and to wrap its handler: counts what it asks of KV, D1 and the cache, and makes
 * KV and D1 as slow as a network would. Never part of a timed run of the main table.
 *
 * One request at a time: what is counted belongs to the latest one.
 */

import { CALLS_PATH, type Call, OBSERVE_HEADER, type Observation } from "./protocol.ts";

let calls: Call[] = [];
/** All calls to D1 so far, whichever request they are of. */
let d1Total = 0;
let events = 0;
let observation: Observation = { kvMilliseconds: 0, d1Milliseconds: 0, countRows: false };

async function observed<T>(store: Call["store"], run: () => Promise<T>, rowsIn: (result: T) => number = () => 0) {
	const call: Call = { store, start: events++, end: null, rowsRead: 0 };
	calls.push(call);
	if (store === "d1") d1Total += 1;
	const { kvMilliseconds, d1Milliseconds } = observation;
	const delay = store === "kv" ? kvMilliseconds : store === "d1" ? d1Milliseconds : 0;
	try {
		// At the same time: the delay is what the call takes in all, the local store's own time included.
		const [result] = await Promise.all([run(), delay > 0 && new Promise((resolve) => setTimeout(resolve, delay))]);
		call.rowsRead = rowsIn(result);
		return result;
	} finally {
		call.end = events++;
	}
}

/** An object with some of its methods replaced; the others are bound, for they check their `this`. */
function override<T extends object>(target: T, methods: Partial<T>): T {
	return new Proxy(target, {
		get(_, name) {
			if (name in methods) return methods[name as keyof T];
			const value = Reflect.get(target, name, target);
			return typeof value === "function" ? value.bind(target) : value;
		},
	});
}

const rowsOf = ({ meta }: D1Result) => meta.rows_read;
/** D1 takes only its own statements in a batch. */
const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();

function observeStatement(statement: D1PreparedStatement): D1PreparedStatement {
	const rowsOfAnotherRun = async () => (observation.countRows ? rowsOf(await statement.all()) : 0);
	const counted = async <T>(run: () => Promise<T>): Promise<T> => {
		const rowsRead = await rowsOfAnotherRun();
		return observed("d1", run, () => rowsRead);
	};
	const watched = override(statement, {
		bind: (...values) => observeStatement(statement.bind(...values)),
		all: () => observed("d1", () => statement.all(), rowsOf) as never,
		run: () => observed("d1", () => statement.run(), rowsOf) as never,
		raw: (options?: object) => counted(() => statement.raw(options as never)) as never,
		first: (column?: string) => counted(() => statement.first(column as never)) as never,
	});
	originals.set(watched, statement);
	return watched;
}

function observeD1<T extends D1Database | D1DatabaseSession>(d1: T): T {
	const methods: Partial<D1Database> = {
		prepare: (query) => observeStatement(d1.prepare(query)),
		batch: (statements: D1PreparedStatement[]) =>
			observed(
				"d1",
				() => d1.batch(statements.map((statement) => originals.get(statement) ?? statement)),
				(results) => results.map(rowsOf).reduce((sum, rows) => sum + rows, 0),
			) as never,
	};
	if ("withSession" in d1) methods.withSession = (from) => observeD1(d1.withSession(from as string));
	return override<D1Database | D1DatabaseSession>(d1, methods) as T;
}

const real = caches;
const observeCache = (cache: Cache): Pick<Cache, "match" | "put" | "delete"> => ({
	match: (key, options) => observed("cache", () => cache.match(key, options)),
	put: (key, response) => observed("cache", () => cache.put(key, response)),
	delete: (key, options) => observed("cache", () => cache.delete(key, options)),
});
const storage = {
	default: observeCache(real.default),
	open: async (name: string) => observeCache(await real.open(name)),
};
Object.defineProperty(globalThis, "caches", { value: storage, configurable: true });

interface Stores {
	readonly DB: D1Database;
	readonly SESSIONS: KVNamespace;
}

/** An isolate's bindings are observed once: what a Worker keeps by its `env` stays with it. */
const observedEnvs = new WeakMap<Stores, Stores>();

function observeEnv<Env extends Stores>(env: Env): Env {
	const known = observedEnvs.get(env) as Env | undefined;
	if (known) return known;
	const { SESSIONS: kv, DB } = env;
	const get = (...options: Parameters<typeof kv.get>) => observed("kv", () => kv.get(...options));
	const watched = { ...env, DB: observeD1(DB), SESSIONS: override(kv, { get: get as never }) };
	observedEnvs.set(env, watched);
	return watched;
}

export function observe<Env extends Stores>({ fetch }: ExportedHandler<Env>): ExportedHandler<Env> {
	return {
		fetch(request, env, ctx) {
			const { pathname, search } = new URL(request.url);
			if (pathname === CALLS_PATH) return Response.json(search === "?d1-total" ? d1Total : calls);
			const asked = request.headers.get(OBSERVE_HEADER);
			if (asked) observation = JSON.parse(asked);
			calls = [];
			return fetch?.(request, observeEnv(env), ctx) ?? new Response(null, { status: 501 });
		},
	};
}

/** A Durable Object's class, its stores observed too: it runs in the same isolate, and is counted with the request. */
export function observeHub(Hub: new (ctx: DurableObjectState, env: Stores) => object) {
	return class extends Hub {
		constructor(ctx: DurableObjectState, env: Stores) {
			super(ctx, observeEnv(env));
		}
	};
}
