import type { WorkflowRun } from "../protocol/types.ts";
import { describeMoment, exactMoment, zonedMoment } from "./time.ts";
import type { Viewing } from "./viewing.ts";

/** A moment as people say it, with the exact one on hover. */
export function Moment({ at, now }: { at: string; now: number }) {
	return (
		<time datetime={at} title={exactMoment(at)}>
			{describeMoment(at, now)}
		</time>
	);
}

/** When something started and ended, as entries of a list of facts. */
export function StartAndEnd({ of, viewing }: { of: Pick<WorkflowRun, "startedAt" | "completedAt">; viewing: Viewing }) {
	return (
		<>
			<dt>Started</dt>
			<dd>
				<ZonedMoment at={of.startedAt} viewing={viewing} />
			</dd>
			<dt>Ended</dt>
			<dd>
				<ZonedMoment at={of.completedAt} viewing={viewing} />
			</dd>
		</>
	);
}

/** A moment by the reader's calendar and clock, with the exact one on hover. */
function ZonedMoment({ at, viewing: { zone } }: { at: string | null; viewing: Viewing }) {
	if (at === null) return <>–</>;
	return (
		<time class="zoned" datetime={at} title={exactMoment(at)}>
			{zonedMoment(at, zone)}
		</time>
	);
}
