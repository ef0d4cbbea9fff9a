import type { Inngest, InngestFunction } from "inngest";
import { serve } from "inngest/edge";

/** What the SDK answers a request of Inngest with: one for each step that it found or ran. */
interface Op {
	readonly id: string;
	readonly op: string;
	readonly data?: unknown;
	readonly error?: unknown;
}

/**
 * Does what Inngest's own server does with a function, over the SDK's own HTTP handler: calls it again and again with
 * what is known of its steps, runs steps that were planned side by side, tries again what failed, and lets sleeps pass.
 * @returns what the function gave back, or how it failed
 */
export async function runFunction(
	client: Inngest.Any,
	fn: InngestFunction.Any,
	{ runId, data, maxAttempts }: { runId: string; data: object; maxAttempts: number },
): Promise<{ output: unknown } | { error: unknown }> {
	const handle = serve({ client, functions: [fn] });
	const event = { name: "asked", data, id: runId, ts: Date.now() };
	const steps: Record<string, unknown> = {};
	const call = async (stepId: string, attempt: number) => {
		const ctx = {
			run_id: runId,
			attempt,
			max_attempts: maxAttempts,
			disable_immediate_execution: false,
			use_api: false,
		};
		const stack = { stack: Object.keys(steps), current: Object.keys(steps).length };
		const body = JSON.stringify({ version: 2, event, events: [event], steps, ctx: { ...ctx, stack } });
		const url = `http://localhost/api/inngest?fnId=${fn.id(client.id)}&stepId=${stepId}`;
		const headers = { "content-type": "application/json", host: "localhost" };
		const response = await handle(new Request(url, { method: "POST", headers, body }));
		const retry = response.headers.get("x-inngest-no-retry") !== "true" && attempt + 1 < maxAttempts;
		return { status: response.status, answer: (await response.json()) as unknown, retry };
	};
	/** Tries until there is no error, or no more attempt. */
	const insist = async (stepId: string) => {
		for (let attempt = 0; ; attempt++) {
			const { status, answer, retry } = await call(stepId, attempt);
			const failed = status >= 500 || (status === 206 && (answer as Op[]).some(({ op }) => op === "StepError"));
			if (!failed || !retry) return { status, answer };
		}
	};
	for (let requests = 0; requests < 50; requests++) {
		const { status, answer } = await insist("step");
		if (status === 200) return { output: answer };
		if (status !== 206) return { error: answer };
		const planned = (answer as Op[]).filter(({ op }) => op === "StepPlanned");
		const ran = await Promise.all(planned.map(({ id }) => insist(id)));
		for (const { id, op, data, error } of [answer, ...ran.map(({ answer }) => answer)].flat() as Op[]) {
			if (op === "StepPlanned") continue;
			steps[id] =
				op === "StepError" || op === "StepFailed" ? { type: "error", error } : { type: "data", data: data ?? null };
		}
	}
	throw new Error("The function does not come to an end");
}
