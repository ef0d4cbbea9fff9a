import type { Bundle } from "../lab/bundle.ts";
import { usageOf } from "../lab/process.ts";
import { seedSession } from "../lab/seed.ts";
import { NAME, type Server, startServer } from "../lab/server.ts";
import type { User } from "./chat.ts";
import { heapsOf } from "./heap.ts";

const SECRET = "the soak's own, of more than thirty-two characters";
export const RECORDER = "the-soaks-own-token-of-more-than-thirty-two-characters";
export const OPERATOR = "the-soaks-own-operator-of-more-than-thirty-two-characters";

const VARS = {
	RECORDER_TOKENS: RECORDER,
	OPERATOR_TOKENS: OPERATOR,
	RETENTION_DAYS: "1",
	GIVE_UP_HOURS: "1",
	// A machine that others work on is slow now and then, which is not what is looked for.
	STORE_TIMEOUT_SECONDS: "20",
};

/** In megabytes. */
export interface Memory {
	/** When it was looked at, in milliseconds since the epoch. */
	readonly at: number;
	/** Of the process, with Miniflare's stores; NaN where there is no /proc. */
	readonly resident: number;
	/** Of our Worker's isolate, and of the stores' together. */
	readonly ours: number;
	readonly stores: number;
}

/** The service in a workerd that can be killed, over stores that outlive it. */
export class Service {
	readonly #built: Bundle;
	readonly #state: string;
	#server: Server;
	/** Settles when it is up. */
	#up: Promise<unknown> = Promise.resolve();
	/** How often it was killed. */
	restarts = 0;

	static async start(built: Bundle, state: string): Promise<Service> {
		return new Service(built, state, await serve(built, state));
	}

	private constructor(built: Bundle, state: string, server: Server) {
		this.#built = built;
		this.#state = state;
		this.#server = server;
	}

	/** Asks it or its stores, again where it was killed meanwhile: nobody knows then what came of the request. */
	async reach<T>(ask: (url: URL) => Promise<T>): Promise<T> {
		for (;;) {
			await this.#up;
			const { restarts } = this;
			try {
				return await ask(this.#server.url);
			} catch (error) {
				if (restarts === this.restarts) throw error;
			}
		}
	}

	/** Kills workerd in the middle of all it does, and starts another one. */
	async restart(): Promise<void> {
		const { pid } = this.#server;
		if (pid === null) return;
		this.restarts++;
		const { promise, resolve } = Promise.withResolvers<void>();
		this.#up = promise;
		process.kill(pid, "SIGKILL");
		await this.#server.dispose();
		this.#server = await serve(this.#built, this.#state);
		resolve();
	}

	/** A round of the cron, as Cloudflare starts one. */
	async cron(at: Date): Promise<void> {
		await this.#up;
		const worker = await this.#server.miniflare.getWorker(NAME);
		const { outcome } = await worker.scheduled({ cron: "17 * * * *", scheduledTime: at });
		if (outcome !== "ok") throw new Error(`the cron's outcome is ${outcome}`);
	}

	/** Asks D1 past the service, with a statement that may be asked twice. */
	sql<T>(query: string, ...values: string[]): Promise<T[]> {
		return this.reach(async () => {
			const d1 = await this.#server.miniflare.getD1Database("DB", NAME);
			const { results } = await d1
				.prepare(query)
				.bind(...values)
				.all<T>();
			return results;
		});
	}

	/** Signs a user in, as better-auth does. */
	signIn(id: string): Promise<User> {
		return this.reach(async () => {
			const kv = await this.#server.miniflare.getKVNamespace("SESSIONS", NAME);
			return { id, cookie: await seedSession(kv, SECRET, id) };
		});
	}

	async memory(): Promise<Memory> {
		await this.#up;
		const { pid, miniflare } = this.#server;
		const resident = usageOf(pid)?.residentMegabytes ?? Number.NaN;
		return { at: Date.now(), resident, ...(await heapsOf(miniflare)) };
	}

	stop(): Promise<void> {
		return this.#server.dispose();
	}
}

const serve = (built: Bundle, state: string) =>
	startServer({ bundle: "ours", vars: VARS }, built, { state, secret: SECRET, inspected: true });
