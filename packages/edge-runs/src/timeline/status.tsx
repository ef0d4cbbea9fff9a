import type { WorkflowRunStatus } from "../protocol/types.ts";

/** The word for each status. */
export const STATUS_WORD: Readonly<Record<WorkflowRunStatus, string>> = {
	pending: "Pending",
	running: "Running",
	completed: "Completed",
	failed: "Failed",
	cancelled: "Cancelled",
};

export function isStatus(text: string): text is WorkflowRunStatus {
	return Object.hasOwn(STATUS_WORD, text);
}

/** A status as a shape, for readers who cannot see its colour. The shape is in the page's `StatusShapes`. */
export function StatusIcon({ status }: { status: WorkflowRunStatus }) {
	return (
		<svg class={`icon ${status}`} viewBox="0 0 16 16" aria-hidden="true">
			<use href={`#shape-${status}`} />
		</svg>
	);
}

/** Each status's outline and the sign inside it. */
const SHAPES: Readonly<Record<WorkflowRunStatus, readonly [outline: string, mark: string]>> = {
	pending: ["M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z", "M8 4.8V8l2.2 1.6"],
	running: ["M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z", "M8 1.5A6.5 6.5 0 0 1 14.5 8"],
	completed: ["M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z", "M4.9 8.3l2.2 2.2 4.2-4.6"],
	failed: ["M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z", "M5.6 5.6l4.8 4.8m0-4.8l-4.8 4.8"],
	cancelled: ["M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z", "M4.9 8h6.2"],
};

/** The shapes that `StatusIcon` uses. Each page has them once. */
export function StatusShapes() {
	return (
		<svg class="shapes" aria-hidden="true">
			{Object.entries(SHAPES).map(([status, [outline, mark]]) => (
				<symbol id={`shape-${status}`} viewBox="0 0 16 16">
					<path class="outline" d={outline} />
					<path class="mark" d={mark} />
				</symbol>
			))}
		</svg>
	);
}
