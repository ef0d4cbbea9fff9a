import type { WorkflowRunStep } from "../protocol/types.ts";

export interface Placed {
	readonly step: WorkflowRunStep;
	/** How many steps it is nested in. */
	readonly depth: number;
}

/** Deeper steps are shown no further in. */
export const MAX_DEPTH = 4;

/**
 * Steps with each behind the step that it is part of, and otherwise in their order. A step whose parent is not there
 * stands by itself; so does one of a circle, since nobody checks what engines report.
 */
export function placeSteps(steps: readonly WorkflowRunStep[]): Placed[] {
	if (!steps.some((step) => step.parentId !== undefined)) return steps.map((step) => ({ step, depth: 0 }));
	const known = new Set(steps.map((step) => step.id));
	const children = Map.groupBy(steps, ({ parentId }) =>
		parentId !== undefined && known.has(parentId) ? parentId : null,
	);
	const placed = new Map<string, Placed>();
	const place = (step: WorkflowRunStep, depth: number) => {
		// With a stack of its own: a thousand steps may be nested in one another.
		const waiting = [{ step, depth }];
		for (let next = waiting.pop(); next; next = waiting.pop()) {
			if (placed.has(next.step.id)) continue;
			placed.set(next.step.id, { step: next.step, depth: Math.min(next.depth, MAX_DEPTH) });
			const inside = children.get(next.step.id) ?? [];
			waiting.push(...inside.toReversed().map((child) => ({ step: child, depth: (next?.depth ?? 0) + 1 })));
		}
	};
	for (const step of children.get(null) ?? []) place(step, 0);
	for (const step of steps) if (!placed.has(step.id)) place(step, 0);
	return [...placed.values()];
}
