import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";

/** A chat to measure: this many runs, of this many steps each. */
export interface ChatSize {
	readonly runs: number;
	readonly steps: number;
}

export const OWNER = "bench-user";

export const sizeName = ({ runs, steps }: ChatSize) => `${runs.toLocaleString("en")} x ${steps}`;

const uuid = (kind: number, n: number) =>
	`${kind.toString(16).padStart(8, "0")}-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;

export const chatIdOf = ({ runs, steps }: ChatSize) => uuid(steps, runs);

const START = Date.parse("2026-01-01T00:00:00.000Z");
const at = (milliseconds: number) => new Date(START + milliseconds).toISOString();
const MINUTE = 60_000;
const NAMES = ["Fetch sources", "Summarise", "Translate", "Write answer", "Check facts"];

/**
 * The runs of a chat, in the list's order: one that waits, one that runs, then finished ones, of which every
 * seventh failed. The same for the same size, so that every peer stores the same.
 */
export function runsOf(size: ChatSize): WorkflowRun[] {
	const chatId = chatIdOf(size);
	return Array.from({ length: size.runs }, (_, i) => {
		const status = size.runs < 3 ? "completed" : (["pending", "running"] as const)[i];
		return makeRun(chatId, size, i, status ?? (i % 7 === 0 ? "failed" : "completed"));
	});
}

type RunStatus = "pending" | "running" | "completed" | "failed";

function makeRun(chatId: string, size: ChatSize, i: number, status: RunStatus): WorkflowRun {
	const start = (size.runs - i) * MINUTE;
	return {
		id: uuid(size.steps, size.runs * 1_000_000 + i),
		chatId,
		workflowId: uuid(0xf, i % 5),
		status,
		startedAt: status === "pending" ? null : at(start),
		completedAt: status === "pending" || status === "running" ? null : at(start + size.steps * 5_000),
		...(status === "failed" ? { error: { message: `Step "${NAMES[0]}" failed` } } : {}),
		steps: Array.from({ length: size.steps }, (_, position) => makeStep(status, start + position * 5_000, position)),
	};
}

function makeStep(run: RunStatus, start: number, position: number): WorkflowRun["steps"][number] {
	const done = run === "completed" || run === "failed" || (run === "running" && position === 0);
	const failed = run === "failed" && position === 0;
	return {
		id: `step-${position + 1}`,
		status: failed ? "failed" : done ? "completed" : "pending",
		startedAt: done ? at(start) : null,
		completedAt: done ? at(start + 5_000) : null,
		...(failed ? { error: { message: "The source did not answer within 30 s" } } : {}),
		name: NAMES[position % NAMES.length] as string,
		position,
	};
}
