import { createTestHarness, type TestHarnessOptions } from "wrangler";
import { root } from "./dev-server.ts";

export const TOKEN = "a-recorder-token-of-the-tests-0123456789";

type Workers = NonNullable<TestHarnessOptions["workers"]>;

/** The service by its wrangler.toml, migrated and empty, in workerd behind a port of its own. */
export async function startService(...others: Workers) {
	const secrets = { BETTER_AUTH_SECRET: "a test secret of at least thirty-two characters", RECORDER_TOKENS: TOKEN };
	const server = createTestHarness({ root, workers: [{ configPath: "wrangler.toml", secrets }, ...others] });
	const { url } = await server.listen();
	const worker = server.getWorker("edge-runs");
	await worker.applyD1Migrations("DB");
	const { DB } = (await worker.getEnv()) as { DB: D1 };
	return { server, url: url.origin, DB };
}

/** What the tests need of D1. */
interface D1 {
	prepare(sql: string): { all<T>(): Promise<{ results: T[] }> };
}
