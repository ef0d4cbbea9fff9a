import type { WorkflowRun } from "edge-runs/react";

/** How far the run is that a message set off, in one line. */
export function Progress({ run, onOpen }: { run: WorkflowRun | undefined; onOpen: (runId: string) => void }) {
	if (!run) return null;
	// Not read out by screen readers with each page that is searched: the timeline says when a run's status changes.
	return (
		<button type="button" aria-live="off" className={`progress ${run.status}`} onClick={() => onOpen(run.id)}>
			{describe(run)}
		</button>
	);
}

function describe({ status, steps, startedAt, completedAt }: WorkflowRun): string {
	if (status === "pending") return "Waiting…";
	if (status === "running") {
		const step = steps.find((each) => each.status === "running");
		return [step?.name ?? "Running", step?.activity?.message].filter(Boolean).join(": ");
	}
	const seconds = (Date.parse(completedAt ?? "") - Date.parse(startedAt ?? "")) / 1_000;
	const word = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" }[status];
	return `${word} in ${seconds.toFixed(1)} s, ${steps.length} steps`;
}
