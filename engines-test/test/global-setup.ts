import { createHmac, randomUUID } from "node:crypto";
import type { TestProject } from "vitest/node";
import { root } from "../../test/node/dev-server.ts";
import { startService, TOKEN } from "../../test/node/harness.ts";

declare module "vitest" {
	interface ProvidedContext {
		service: { url: string; token: string; cookie: string };
	}
}

/** Whose chats all of them are. */
export const USER = "engine-user";

/** One service for all tests: the real Worker in workerd, with a user who is signed in. */
export default async function setup(project: TestProject) {
	const { server, url } = await startedFromRoot();
	project.provide("service", { url, token: TOKEN, cookie: await signIn(server.getWorker("edge-runs")) });
	return () => server.close();
}

/** wrangler's build command runs in the folder that the process is in, and is written for the repository's. */
export async function startedFromRoot(...others: Parameters<typeof startService>) {
	const here = process.cwd();
	process.chdir(root);
	try {
		return await startService(...others);
	} finally {
		process.chdir(here);
	}
}

/** Puts a session where better-auth does, and makes its cookie. */
export async function signIn(worker: { getEnv(): Promise<unknown> }): Promise<string> {
	const { SESSIONS, BETTER_AUTH_SECRET } = (await worker.getEnv()) as {
		SESSIONS: { put(key: string, value: string): Promise<void> };
		BETTER_AUTH_SECRET: string;
	};
	const token = randomUUID();
	const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
	const session = { id: randomUUID(), token, userId: USER, expiresAt };
	await SESSIONS.put(token, JSON.stringify({ session, user: { id: USER } }));
	const signature = createHmac("sha256", BETTER_AUTH_SECRET).update(token).digest("base64");
	return `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
}
