import { describeMoment, exactMoment } from "./time.ts";

/** A moment as people say it, with the exact one on hover. */
export function Moment({ at, now }: { at: string; now: number }) {
	return (
		<time datetime={at} title={exactMoment(at)}>
			{describeMoment(at, now)}
		</time>
	);
}
