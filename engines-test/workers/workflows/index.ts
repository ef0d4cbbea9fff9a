import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { follow, recordEndedInstances, recordWorkflow } from "edge-runs/engines/cloudflare-workflows";
import { createRecorder, type RecorderBinding } from "edge-runs/recorder";

interface Env {
	RUNS: RecorderBinding;
	RESEARCH: Workflow<Params>;
	EVENTS: Queue;
}

interface Params {
	chatId: string;
	userId: string;
	/** What to do. */
	play: "success" | "retry" | "failure" | "parallel" | "wait" | "caught" | "silent";
}

const quick = { retries: { limit: 2, delay: 10, backoff: "constant" } } as const;

/** How often the code of an instance ran, to see replays. */
let runs = 0;

export class Research extends WorkflowEntrypoint<Env, Params> {
	override async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
		runs++;
		if (event.payload.play === "silent") return this.play(event.payload, step);
		const { chatId, userId } = event.payload;
		const options = {
			recorder: createRecorder({ binding: this.env.RUNS }),
			chatId,
			userId,
			outputs: true,
			event,
			step,
		};
		return recordWorkflow(options, (step) => this.play(event.payload, step));
	}

	async play({ play }: Params, step: WorkflowStep) {
		if (play === "retry") {
			return step.do("flaky", quick, async ({ attempt }) => {
				if (attempt < 3) throw new Error(`no luck in attempt ${attempt}`);
				return { attempt };
			});
		}
		if (play === "failure" || play === "silent") {
			await step.do("first", async () => "done");
			return step.do("broken", quick, async () => {
				throw new NonRetryableError("it broke");
			});
		}
		if (play === "caught") {
			await step
				.do("broken", { retries: { limit: 0, delay: 1 } }, async () => {
					throw new Error("it broke");
				})
				.catch(() => {});
			return "went on";
		}
		if (play === "parallel") {
			return Promise.all([1, 2, 3].map((n) => step.do("part", async () => n)));
		}
		if (play === "wait") {
			await step.do("before", async () => "before");
			const { payload } = await step.waitForEvent<string>("approval", { type: "approved", timeout: "1 hour" });
			return payload;
		}
		await step.do("fetch", async () => ({ pages: 3 }));
		await step.sleep("pause", 20);
		await step.do("fetch", async () => ({ pages: 4 }));
		return "all done";
	}
}

const chat = ({ chatId, userId }: Params) => ({ chatId, userId });

export default {
	/** Does what a test asks for: a method of the workflow's binding or of an instance, by a POST of its name and arguments. */
	async fetch(request, env) {
		const { method, id, args = [] } = await request.json<{ method: string; id?: string; args?: unknown[] }>();
		if (method === "create") return Response.json((await env.RESEARCH.create(args[0] as never)).id);
		if (method === "runs") return Response.json(runs);
		if (method === "send") return Response.json(await env.EVENTS.send(args[0]));
		const instance = await env.RESEARCH.get(id ?? "");
		if (method === "follow") {
			const { cursor, milliseconds } = args[0] as { cursor?: number; milliseconds: number };
			const recorder = createRecorder({ binding: env.RUNS });
			const signal = AbortSignal.timeout(milliseconds);
			const followed = await follow(instance, { recorder, workflow: "research", chat, cursor, signal, outputs: true });
			await recorder.flush();
			return Response.json(followed);
		}
		const call = instance[method as "status"] as (...args: unknown[]) => Promise<unknown>;
		return Response.json((await call.apply(instance, args)) ?? null);
	},
	async queue(batch, env) {
		const workflows = { research: env.RESEARCH };
		await recordEndedInstances(batch, {
			recorder: createRecorder({ binding: env.RUNS }),
			workflows,
			chat,
			outputs: true,
		});
	},
} satisfies ExportedHandler<Env>;
