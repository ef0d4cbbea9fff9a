import { hubStub } from "../db/hub.ts";
import { readMigrations } from "../db/migrations.ts";
import { withDeadline } from "../deadline.ts";
import { type Env, readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope } from "../scope.ts";
import { cacheKey, openCache } from "../workflow-runs/edge-cache.ts";

export type Verdict = "ok" | "failing";

export type CheckName = "configuration" | "d1" | "migrations" | "kv" | "cache" | "hub";

/** off: no hubs are bound, as the operator may choose. */
export type Findings = Readonly<Record<Exclude<CheckName, "hub">, Verdict> & { hub: Verdict | "off" }>;

/** The key need not exist. The check is that KV answers. */
const KV_PROBE = "edge-runs-health";
const CACHE_PROBE_SECONDS = 60;
/** No chat's: the check is that a hub answers. */
const HUB_PROBE = "edge-runs-health";

/** Asks everything that the service needs, at the same time, each for `STORE_TIMEOUT_SECONDS` at most. Never rejects. */
export async function runChecks(scope: Scope): Promise<Findings> {
	const { env } = scope;
	const [configuration, d1, migrations, kv, cache, hub] = await Promise.all([
		check(scope, "configuration", async () => readConfig(env)),
		check(scope, "d1", () => env.DB.prepare("select 1 from chats limit 1").first()),
		check(scope, "migrations", () => findMigrations(env.DB)),
		check(scope, "kv", () => env.SESSIONS.get(KV_PROBE)),
		check(scope, "cache", () => findInCache(cacheKey(scope, "health"))),
		env.HUB ? check(scope, "hub", () => askAHub(env)) : ("off" as const),
	]);
	return { configuration, d1, migrations, kv, cache, hub };
}

async function findMigrations(db: D1Database): Promise<void> {
	const { missing } = await readMigrations(db);
	if (missing.length > 0)
		throw new Error(`the database lacks ${missing.join(", ")}: run "npm run db:migrate" before you deploy`);
}

/**
 * Behind Access and on some hosts the Cache API takes everything and keeps nothing. Every read then goes to D1.
 * @param key under the host that histories are kept under, since it is what may not be cached
 */
async function findInCache(key: string): Promise<void> {
	const cache = await openCache();
	const find = async () => {
		const found = await cache.match(key);
		await found?.body?.cancel();
		return found !== undefined;
	};
	if (await find()) return;
	const headers = { "cache-control": `max-age=${CACHE_PROBE_SECONDS}` };
	await cache.put(key, new Response("ok", { headers }));
	if (!(await find())) throw new Error("the Cache API keeps nothing here: every read goes to D1");
}

/** It refuses what does not dial in, and so answers without doing anything. */
async function askAHub(env: Env): Promise<void> {
	const answer = await hubStub(env, HUB_PROBE)?.fetch("https://hub.invalid/");
	await answer?.body?.cancel();
}

async function check(scope: Scope, name: CheckName, probe: () => Promise<unknown>): Promise<Verdict> {
	try {
		await withDeadline(probe(), timeoutSeconds(scope));
		return "ok";
	} catch (error) {
		logError(scope, { event: "health", check: name }, error);
		return "failing";
	}
}

/** The default of 5 s, if the configuration itself is what fails. */
function timeoutSeconds({ env }: Pick<Scope, "env">): number {
	try {
		return readConfig(env).storeTimeoutSeconds;
	} catch {
		return 5;
	}
}
