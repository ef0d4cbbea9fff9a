import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import journal from "../../../drizzle/meta/_journal.json";
import { version } from "../../../package.json";
import { app } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import { request, requestWith } from "../helpers.ts";
import { hubsThat } from "../live/hub.ts";
import { watchBindings } from "../watch-bindings.ts";

const ALL_OK = { configuration: "ok", d1: "ok", migrations: "ok", kv: "ok", cache: "ok", hub: "ok" };
const never = () => new Promise<never>(() => {});

let logged: string[];
beforeEach(() => {
	logged = [];
	vi.spyOn(console, "log").mockImplementation(() => {});
	vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => {
	vi.restoreAllMocks();
	vi.useRealTimers();
});

type Changed = { [K in keyof Env]?: Env[K] | undefined };

/** What is found with other bindings, and with which status. */
async function findings(changed: Changed = {}): Promise<[number, Record<string, string>]> {
	const response = await requestWith({ HUB: env.HUB, ...changed }, "/api/health");
	const { status, checks } = await response.json<{ status: string; checks: Record<string, string> }>();
	const isSlow = checks["cache"] === "failing" || checks["hub"] === "failing";
	expect(status).toBe(response.status === 503 ? "failing" : isSlow ? "degraded" : "ok");
	return [response.status, checks];
}

describe("/api/health", () => {
	it("says that all is well", async () => {
		const response = await request("/api/health");
		expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
		expect(await response.json()).toEqual({
			status: "ok",
			version,
			deployment: expect.toSatisfy((id) => id === null || typeof id === "string"),
			checkedAt: expect.stringMatching(/^\d{4}-.*Z$/),
			checks: ALL_OK,
		});
	});

	it.each<[string, Changed, object?]>([
		["configuration", { BETTER_AUTH_SECRET: "too short" }],
		["d1", { DB: undefined }, { migrations: "failing" }],
		["kv", { SESSIONS: undefined }],
	])("says that %s is failing, and the others not", async (name, changed, more = {}) => {
		expect(await findings(changed)).toEqual([503, { ...ALL_OK, [name]: "failing", ...more }]);
	});

	it.each([
		["d1", { onD1: never }],
		["kv", { onKv: never }],
	])("says within STORE_TIMEOUT_SECONDS that %s is failing where it hangs", async (name, hooks) => {
		const { calls: _, ...bindings } = watchBindings(hooks);
		const [status, checks] = await findings({ ...bindings, STORE_TIMEOUT_SECONDS: 0.5 });
		expect([status, checks]).toMatchObject([503, { configuration: "ok", cache: "ok", [name]: "failing" }]);
	});
});

describe("/api/health looks for migrations", () => {
	const [last] = journal.entries.slice(-1).map(({ tag }) => `${tag}.sql`);

	it("is failing if the database lacks a migration, even if only the last one", async () => {
		const row = await env.DB.prepare("select * from d1_migrations where name = ?").bind(last).first();
		expect(row).not.toBeNull();
		await env.DB.prepare("delete from d1_migrations where name = ?").bind(last).run();
		try {
			expect(await findings()).toEqual([503, { ...ALL_OK, migrations: "failing" }]);
			expect(logged.join()).toContain(`the database lacks ${last}`);
		} finally {
			const names = Object.keys(row as object);
			await env.DB.prepare(`insert into d1_migrations (${names.join()}) values (${names.map(() => "?").join()})`)
				.bind(...Object.values(row as object))
				.run();
		}
	});

	it("is fine with a database that has a later one, as after a roll back", async () => {
		await env.DB.prepare("insert into d1_migrations (name) values ('9999_later.sql')").run();
		try {
			expect(await findings()).toEqual([200, ALL_OK]);
		} finally {
			await env.DB.prepare("delete from d1_migrations where name = '9999_later.sql'").run();
		}
	});
});

describe("/api/health looks at the cache", () => {
	it.each<[string, () => Promise<Cache>]>([
		["it keeps nothing", async () => ({ match: async () => undefined, put: async () => undefined }) as never],
		["it throws", () => Promise.reject(new Error("no cache here"))],
		["it hangs", never],
	])("says that the cache is failing, which is no outage: %s", async (_, open) => {
		vi.spyOn(caches, "open").mockImplementation(open);
		expect(await findings({ STORE_TIMEOUT_SECONDS: 0.5 })).toEqual([200, { ...ALL_OK, cache: "failing" }]);
	});
});

describe("/api/health asks a hub", () => {
	it.each<[string, () => unknown]>([
		["throws", () => Promise.reject(new Error("no hub here"))],
		["hangs", never],
	])("and says that it is failing where it %s, which is no outage", async (_, fetch) => {
		const bindings = { HUB: hubsThat({ fetch }), STORE_TIMEOUT_SECONDS: 0.5 };
		expect(await findings(bindings)).toEqual([200, { ...ALL_OK, hub: "failing" }]);
		expect(logged.join()).toContain('"check":"hub"');
	});

	it("and says that there is none where none is bound", async () => {
		expect(await findings({ HUB: undefined })).toEqual([200, { ...ALL_OK, hub: "off" }]);
	});
});

describe("/api/health is remembered", () => {
	/** Asks again and again with the same bindings, as an isolate has them. */
	function isolate(changed: Changed = {}) {
		const { calls, ...bindings } = watchBindings();
		const all = { ...env, ...bindings, ...changed } as Env;
		const ask = async () => {
			const context = createExecutionContext();
			const response = await app.fetch(new Request("http://edge-runs.test/api/health"), all, context);
			await waitOnExecutionContext(context);
			return response.json<{ status: string; checkedAt: string }>();
		};
		return { ask, asked: () => calls.d1.length + calls.kv.length };
	}

	it("so that asking often asks the stores once", async () => {
		const { ask, asked } = isolate();
		const first = await ask();
		const once = asked();
		expect(once).toBeGreaterThan(1);
		for (let i = 0; i < 20; i++) expect(await ask()).toEqual(first);
		expect(asked()).toBe(once);
	});

	it("for some seconds", async () => {
		const { ask, asked } = isolate();
		await ask();
		const once = asked();
		vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6_000 });
		await ask();
		expect(asked()).toBe(2 * once);
	});

	it("so a failure too, and no longer", async () => {
		const { ask } = isolate({ BETTER_AUTH_SECRET: "short" });
		expect((await ask()).status).toBe("failing");
		const { checkedAt } = await ask();
		vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6_000 });
		expect((await ask()).checkedAt > checkedAt).toBe(true);
	});
});
