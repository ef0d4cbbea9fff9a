import path from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig, type Plugin } from "vitest/config";
import { unstable_readConfig as readWranglerConfig } from "wrangler";

// Keeps "Using secrets defined in .dev.vars" out of every run: the tests bring secrets of their own.
process.env["WRANGLER_LOG"] ??= "warn";

// Most processes that tests start are wrangler's: compiled once, each starts a third faster.
process.env["NODE_COMPILE_CACHE"] ??= path.join(import.meta.dirname, "node_modules/.cache/compiled");

const migrations = await readD1Migrations("drizzle");

/** For as long as a busy machine may take; Vitest's own is a second. */
const patient = { poll: { timeout: 20_000 } };

/** The service's code gets what wrangler.toml has it bundled with; better-auth gets all of zod. */
const { alias = {} } = readWranglerConfig({ config: "wrangler.toml" });
const bundledWith: Plugin = {
	name: "bundled-with",
	enforce: "pre",
	resolveId: (source, importer) =>
		alias[source] !== undefined && /\/(src|test\/workerd|@hono)\//.test(importer ?? "")
			? path.join(import.meta.dirname, alias[source])
			: null,
};

export default defineConfig({
	test: {
		projects: [
			{
				plugins: [
					bundledWith,
					cloudflareTest({
						wrangler: { configPath: "wrangler.toml" },
						miniflare: {
							// For better-auth, which the interop test runs; the service itself does without.
							compatibilityFlags: ["nodejs_compat"],
							// All tests together are one user's worth of requests, many times over. The small limits are for the
							// tests of limits, which bind them in place of these.
							ratelimits: Object.fromEntries(
								["READ_LIMIT", "WRITE_LIMIT", "OPERATOR_LIMIT", "SIGN_IN_LIMIT"].flatMap((name) => [
									[name, { namespace_id: name, simple: { limit: 1_000_000, period: 60 as const } }],
									[`SMALL_${name}`, { namespace_id: `SMALL_${name}`, simple: { limit: 3, period: 60 as const } }],
								]),
							),
							bindings: {
								MIGRATIONS: migrations,
								FUZZ_SECONDS: process.env["FUZZ_SECONDS"] ?? "",
								FUZZ_SEED: process.env["FUZZ_SEED"] ?? "",
								BETTER_AUTH_SECRET: "a test secret of at least thirty-two characters",
								RECORDER_TOKENS: "first-recorder-token-0123456789abcdef,second-recorder-token-0123456789abcdef",
								OPERATOR_TOKENS: "first-operator-token-0123456789abcdef,second-operator-token-0123456789abcdef",
								READ_TOKEN_SECRET: "today's secret of read tokens in tests,yesterday's secret of read tokens in tests",
							},
						},
					}),
				],
				test: {
					name: "workerd",
					// The other projects run beside it: what takes a second on its own may take several.
					testTimeout: 30_000,
					// A workerd for a third of the files: starting one a file takes longer than all tests together.
					isolate: false,
					maxWorkers: 3,
					include: ["test/workerd/**/*.test.ts"],
					globalSetup: "test/workerd/global-setup.ts",
					setupFiles: ["test/workerd/setup.ts"],
				},
			},
			{
				test: {
					name: "browser",
					// A browser on a busy machine: what fails twice is a fault. At a desk, once is enough to be told.
					retry: process.env["CI"] ? 1 : 0,
					include: ["test/browser/**/*.test.ts"],
					globalSetup: "test/browser/global-setup.ts",
					expect: patient,
					testTimeout: 60_000,
					hookTimeout: 120_000,
					// They share a dev server and a browser.
					fileParallelism: false,
					isolate: false,
				},
			},
			{
				test: {
					// Not among the tests of `npm test`: they take processor time, for what changes seldom.
					name: "tools",
					include: ["test/tools/**/*.test.ts"],
					// The benchmark starts workerd again and again: half a minute, or several where others work beside it.
					testTimeout: 600_000,
					hookTimeout: 600_000,
				},
			},
			{
				test: {
					// Not among the tests of `npm test`: examples/ has packages of its own.
					name: "examples",
					retry: process.env["CI"] ? 1 : 0,
					include: ["examples/test/**/*.test.ts"],
					expect: patient,
					testTimeout: 60_000,
					// The first start of an example installs its packages.
					hookTimeout: 300_000,
					fileParallelism: false,
				},
			},
			{
				test: {
					name: "node",
					include: ["test/node/**/*.test.ts"],
					expect: patient,
					testTimeout: 120_000,
					hookTimeout: 120_000,
					// Most of their time they wait for servers to start.
					maxWorkers: 3,
					isolate: false,
				},
			},
		],
	},
});
