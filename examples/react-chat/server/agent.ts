import { setTimeout as sleep } from "node:timers/promises";
import type { Recorder } from "edge-runs/recorder";

export interface Question {
	/** The chat, its owner, and the message that is answered: what ties the run to its place in the conversation. */
	readonly chatId: string;
	readonly userId: string;
	readonly messageId: string;
	readonly text: string;
}

/**
 * Answers a question, and reports how far it is. The agent is simulated; yours asks a model. What edge-runs needs is what
 * is done with `run` and `step`: it never slows the agent, and an outage of edge-runs does not stop it.
 */
export function answer(recorder: Recorder, { text, ...ids }: Question): Promise<string> {
	return recorder.run({ ...ids, workflow: "Answer a question" }, async (run) => {
		const words = await run.step("Read the question", async () => {
			await sleep(600);
			return text.split(/\s+/).length;
		});
		const [pages, papers] = await Promise.all([
			run.step("Search the web", async (step) => {
				for (const page of [1, 2, 3]) {
					step.activity(`Page ${page} of 3`, { progress: (page - 1) / 3 });
					await sleep(700);
				}
				return 3;
			}),
			run.step("Search the library", async (step) => {
				step.activity("Asking the index");
				await sleep(1_100);
				if (/library/i.test(text)) throw new Error("The library's index did not answer");
				return 4;
			}),
		]);
		return run.step("Write the answer", async (step) => {
			run.activity("Writing");
			await sleep(1_400);
			step.metrics({ tokens: 40 * words });
			return `I read ${pages} pages and ${papers} papers for the ${words} words of your question. This agent is simulated: yours says more.`;
		});
	});
}
