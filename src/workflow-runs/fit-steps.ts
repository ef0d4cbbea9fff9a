import { MAX_NAME, MAX_STEPS_BYTES } from "#protocol/limits.ts";
import { compareStepIds, compareText } from "#protocol/order.ts";
import { cutText, jsonBytes, textBytes } from "#protocol/text.ts";
import type { Step } from "./schemas.ts";

/** Steps that fit a row of D1, and a note of the parts that had to go. */
export interface FittedSteps {
	readonly steps: Step[];
	/** For people: the parts that were left out. Undefined: nothing was. */
	readonly warning?: string;
}

/**
 * Makes a run's steps fit its row, however much they have gathered over many reports. The run's end must not be lost
 * because its steps are large. First the largest outputs go. Then messages are cut short, and activities and metrics go.
 * At last whole steps go, the last ones by id. A pure function of the steps, so that the same steps lose the same parts.
 *
 * The merge keeps the other limits, but not this one. If the steps take more than a row holds, the order of reports may
 * decide which parts stay.
 */
export function fitSteps(steps: Step[]): FittedSteps {
	if (fits(steps)) return { steps };
	const lighter = withoutLargeOutputs(steps);
	if (fits(lighter)) return { steps: lighter, warning: "steps: too large for one run, the largest outputs left out" };
	const bare = lighter.map(({ output: _, activity: __, metrics: ___, error, ...step }) => ({
		...step,
		...(error && { error: { message: cutText(error.message, MAX_NAME) } }),
	}));
	if (fits(bare)) {
		const warning = "steps: too large for one run, outputs, activities and metrics left out, messages cut";
		return { steps: bare, warning };
	}
	const kept = firstById(bare);
	return {
		steps: bare.filter(({ id }) => kept.has(id)),
		warning: `steps: too large for one run, ${bare.length - kept.size} of ${bare.length} steps left out`,
	};
}

/** A UTF-16 unit takes three bytes at most. So for most steps one knows without encoding them that they fit. */
function fits(steps: readonly Step[]): boolean {
	const json = JSON.stringify(steps);
	return json.length * 3 <= MAX_STEPS_BYTES || textBytes(json) <= MAX_STEPS_BYTES;
}

function withoutLargeOutputs(steps: readonly Step[]): Step[] {
	const largestFirst = steps
		.filter(({ output }) => output !== undefined)
		.map(({ id, output }) => ({ id, bytes: jsonBytes(output) }))
		.sort((a, b) => b.bytes - a.bytes || compareText(a.id, b.id));
	let over = jsonBytes(steps) - MAX_STEPS_BYTES;
	const gone = new Set<string>();
	for (const { id, bytes } of largestFirst) {
		if (over <= 0) break;
		gone.add(id);
		over -= bytes + ',"output":'.length;
	}
	return steps.map(({ output, ...step }) => (output === undefined || gone.has(step.id) ? step : { ...step, output }));
}

function firstById(steps: readonly Step[]): Set<string> {
	const kept = new Set<string>();
	let bytes = "[]".length;
	for (const step of steps.toSorted((a, b) => compareStepIds(a.id, b.id))) {
		bytes += jsonBytes(step) + ",".length;
		if (bytes > MAX_STEPS_BYTES) break;
		kept.add(step.id);
	}
	return kept;
}
