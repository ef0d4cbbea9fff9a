import { createTestHarness, type TestHarnessOptions } from "wrangler";
import { seedSession } from "../../scripts/seed.ts";
import { root } from "./dev-server.ts";

export const TOKEN = "a-recorder-token-of-the-tests-0123456789";

const SECRET = "a test secret of at least thirty-two characters";

type Workers = NonNullable<TestHarnessOptions["workers"]>;

/** The service by its wrangler.toml, migrated and empty, in workerd behind a port of its own. */
export async function startService(...others: Workers) {
	const secrets = { BETTER_AUTH_SECRET: SECRET, RECORDER_TOKENS: TOKEN };
	const server = createTestHarness({ root, workers: [{ configPath: "wrangler.toml", secrets }, ...others] });
	const { url } = await server.listen();
	const worker = server.getWorker("edge-runs");
	await worker.applyD1Migrations("DB");
	const { DB, SESSIONS } = (await worker.getEnv()) as { DB: D1; SESSIONS: Parameters<typeof seedSession>[0] };
	/** Signs the seeded user in. @returns the cookie to send */
	const signIn = async () => {
		const [name, value] = (await seedSession(SESSIONS, SECRET)).trim().split("\t").slice(-2);
		return `${name}=${value}`;
	};
	return { server, url: url.origin, DB, signIn };
}

/** What the tests need of D1. */
interface D1 {
	prepare(sql: string): { all<T>(): Promise<{ results: T[] }> };
}
