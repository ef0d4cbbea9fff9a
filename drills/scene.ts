import { randomUUID } from "node:crypto";
import { createRecorder, type Recorder, type RecorderError, type RecorderOptions } from "#recorder/index.ts";
import { migrate, seedSession } from "../lab/seed.ts";
import { startServer, storesOf } from "../lab/server.ts";
import { Service } from "./service.ts";
import type { Stage } from "./stage.ts";

export const SECRET = "a session secret of the drills with more than thirty-two characters";
export const READ_SECRET = "a-secret-for-read-tokens-of-the-drills-with-more-than-thirty-two-characters";
export const TOKEN = "a-recorder-token-of-the-drills-with-more-than-thirty-two-characters";
export const OPERATOR_TOKEN = "an-operator-token-of-the-drills-with-more-than-thirty-two-characters";
const SECRETS = { RECORDER_TOKENS: TOKEN, READ_TOKEN_SECRET: READ_SECRET, OPERATOR_TOKENS: OPERATOR_TOKEN };
export const USER = "ada";

type Stores = Awaited<ReturnType<typeof storesOf>>;

/** This version of the service, with an empty database, and a user who is signed in. */
export interface Scene extends Stores {
	readonly service: Service;
	readonly cookie: { readonly cookie: string };
	readonly recorder: Recording;
	/** Runs what the cron trigger runs, now. */
	runCron(): Promise<void>;
}

interface SceneOptions {
	/** How many of them are there; left out: all. */
	readonly migrations?: number;
	readonly vars?: Readonly<Record<string, string>>;
}

export async function openScene(stage: Stage, { migrations, vars = {} }: SceneOptions = {}): Promise<Scene> {
	const { bundles, state } = stage;
	const started = {
		bundle: "ours",
		vars: { ...SECRETS, ...vars },
	} as const;
	const { url, miniflare, dispose } = await startServer(started, bundles.ours, {
		state,
		secret: SECRET,
		onLog: stage.log,
	});
	stage.atEnd(dispose);
	const stores = await storesOf(miniflare, "subject");
	await migrate(stores.d1, migrations);
	const cookie = { cookie: await seedSession(stores.kv, SECRET, USER) };
	const recorder = new Recording(stage, { url: url.href });
	const worker = (await miniflare.getWorker("subject")) as unknown as Fetcher;
	const runCron = async () => {
		const { outcome } = await worker.scheduled({ cron: "17 * * * *", scheduledTime: new Date() });
		if (outcome !== "ok") throw new Error(`the cron trigger ended with ${outcome}`);
	};
	return { ...stores, runCron, cookie, service: new Service(url, cookie, TOKEN), recorder };
}

/** An engine's recorder, the package's own. */
export class Recording {
	/** What it was told, in its order. */
	readonly errors: RecorderError[] = [];
	requests = 0;
	readonly recorder: Recorder;

	constructor(stage: Stage, options: RecorderOptions) {
		this.recorder = createRecorder({
			token: TOKEN,
			heartbeatSeconds: 0,
			onError: (error) => this.errors.push(error),
			fetch: (input, init) => {
				this.requests++;
				return fetch(input, init);
			},
			...options,
		});
		stage.atEnd(() => this.recorder.close());
	}

	/** Reports a run of the user's with steps, and sends it. */
	async report(chatId: string, id: string, steps: readonly string[], isDone = false): Promise<void> {
		this.add(chatId, id, steps, isDone);
		await this.recorder.flush();
	}

	/** Reports a run of the user's with steps. It is sent soon. */
	add(chatId: string, id: string, steps: readonly string[], isDone = false): void {
		const at = new Date().toISOString();
		const state = { status: isDone ? "completed" : "running", startedAt: at, completedAt: isDone ? at : null } as const;
		const run = { id, workflowId: WORKFLOW, ...state, steps: steps.map((step) => ({ id: step, ...state })) };
		this.recorder.report({ chatId, userId: USER, run });
	}
}

const WORKFLOW = randomUUID();

/** What a Worker's cron trigger calls, as Miniflare has it. */
interface Fetcher {
	scheduled(options: { cron: string; scheduledTime: Date }): Promise<{ outcome: string }>;
}
