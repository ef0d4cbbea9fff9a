import type { WorkflowRun } from "../../protocol/types.ts";
import { shortId } from "../ids.ts";
import { STATUS_WORD } from "../status.tsx";

/** A run that is new, or whose status is another than before. */
export interface Change {
	readonly run: WorkflowRun;
}

/** Changes within this time are announced together, so that a screen reader is not flooded. In milliseconds. */
const PAUSE = 1_500;

/** Tells screen readers what changed, through a live region: new runs and new statuses, not every step. */
export function announceIn(region: Element): (changes: readonly Change[]) => void {
	const pending = new Map<string, Change>();
	function tell(): void {
		const runs = [...pending.values()].map(({ run }) => run);
		pending.clear();
		const [only] = runs;
		if (only && runs.length === 1) {
			region.textContent = `Workflow run ${shortId(only.id)}: ${STATUS_WORD[only.status]}`;
			return;
		}
		const counts = new Map<string, number>();
		for (const { status } of runs) counts.set(status, (counts.get(status) ?? 0) + 1);
		const parts = [...counts].map(([status, count]) => `${count} ${status}`);
		region.textContent = `${runs.length} workflow runs changed: ${parts.join(", ")}`;
	}

	return (changes) => {
		if (pending.size === 0 && changes.length > 0) setTimeout(tell, PAUSE);
		for (const change of changes) pending.set(change.run.id, change);
	};
}
