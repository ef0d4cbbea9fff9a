import { writeFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { readText, root, temporaryFolder } from "./dev-server.ts";

describe("wrangler.toml", () => {
	const [production, staging] = ["", "staging"].map((env) => bindingsOf(env)) as [Bindings, Bindings];

	it("binds for staging what it binds for production, and shares none of it", () => {
		expect(staging.worker).not.toBe(production.worker);
		expect([...staging.stores.keys()]).toEqual([...production.stores.keys()]);
		expect(production.stores.size).toBeGreaterThan(5);
		for (const [binding, store] of production.stores) {
			// A store without a name is made for the Worker that binds it.
			if (store !== null) expect([binding, staging.stores.get(binding)]).not.toEqual([binding, store]);
		}
		expect(Object.keys(staging.vars)).toEqual(Object.keys(production.vars));
	});

	it("keeps production's custom domain from staging, which would take it over", () => {
		const { folder, remove } = temporaryFolder();
		const file = path.join(folder, "wrangler.toml");
		try {
			const route = 'routes = [{ pattern = "runs.example.com", custom_domain = true }]';
			writeFileSync(file, readText("wrangler.toml").replace(`# ${route}`, route));
			const routesOf = (env: string) => (unstable_readConfig({ config: file, env }) as unknown as Config).routes;
			expect([routesOf("")?.length, routesOf("staging")]).toEqual([1, []]);
		} finally {
			remove();
		}
	});

	it("has no id of somebody's account, nor one of zeros, which keeps wrangler from making the store", () => {
		expect(readText("wrangler.toml")).not.toMatch(/^(database_)?id = /m);
	});

	it("is explained to who presses the Deploy button: every secret, store and variable", () => {
		const { cloudflare } = JSON.parse(readText("package.json")) as { cloudflare: { bindings: object } };
		const secrets = [...readText("src/env.ts").matchAll(/\/\*\* Secret: [^/]*\*\/\s+readonly (\w+)/g)].map(
			([, name]) => name,
		);
		expect(secrets).toContain("RECORDER_TOKENS");
		const stores = [...production.stores.keys()].filter((name) => !/_LIMIT$|^CF_|^HUB/.test(name));
		expect(Object.keys(cloudflare.bindings)).toEqual(
			expect.arrayContaining([...secrets, ...stores, ...Object.keys(production.vars)] as string[]),
		);
		expect(Object.keys(parseEnv(readText(".dev.vars.example"))).sort()).toEqual(secrets.sort());
	});
});

interface Bindings {
	readonly worker: string;
	readonly vars: Record<string, unknown>;
	/** Of each binding the name of what it binds, or null if there is none. */
	readonly stores: ReadonlyMap<string, string | null>;
}

/** As much of wrangler's configuration as is looked at; its own type is not among what it exports. */
interface Config {
	readonly name: string;
	readonly vars: Record<string, unknown>;
	readonly routes?: readonly unknown[];
	readonly d1_databases: readonly { binding: string; database_name?: string }[];
	readonly kv_namespaces: readonly { binding: string; id?: string }[];
	readonly ratelimits: readonly { name: string; namespace_id: string }[];
	readonly durable_objects: { readonly bindings: readonly { name: string; script_name?: string }[] };
	readonly version_metadata?: { readonly binding: string };
}

/** What an environment binds, in order. */
function bindingsOf(env: string): Bindings {
	const config = unstable_readConfig({ config: path.join(root, "wrangler.toml"), env }) as unknown as Config;
	const stores = [
		...config.d1_databases.map((each) => [each.binding, each.database_name ?? null] as const),
		...config.kv_namespaces.map((each) => [each.binding, each.id ?? null] as const),
		...config.ratelimits.map((each) => [each.name, each.namespace_id] as const),
		...config.durable_objects.bindings.map((each) => [each.name, each.script_name ?? null] as const),
		...(config.version_metadata ? [[config.version_metadata.binding, null] as const] : []),
	];
	return { worker: config.name, vars: config.vars, stores: new Map(stores) };
}
