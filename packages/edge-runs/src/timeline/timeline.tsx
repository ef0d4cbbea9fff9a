import type { WorkflowRun } from "../protocol/types.ts";
import { Below, Filters, Search } from "./parts.tsx";
import { Inside, Run } from "./run.tsx";
import { type Choice, openAtFirst, type View } from "./view.ts";
import type { Viewing } from "./viewing.ts";

/** What is drawn of runs' insides at first, over all runs, in characters. Those of the other runs wait until they are opened. */
const MAX_DRAWN = 100_000;

interface Props {
	readonly view: View;
	/** Those of the view that are drawn. */
	readonly runs: readonly WorkflowRun[];
	readonly choice: Choice;
	readonly viewing: Viewing;
	/** The address of the runs behind these; null if these are the last. */
	readonly next: string | null;
}

/** A chat's runs, with what chooses among them: the same on the page and in the element. */
export function Timeline({ view, runs, choice, viewing, next }: Props) {
	const { path } = viewing;
	let drawn = 0;
	/** The run's inside, as long as there is room. */
	const draw = (run: WorkflowRun) => {
		if (drawn > MAX_DRAWN) return null;
		const inside = <Inside run={run} viewing={viewing} />;
		drawn += String(inside).length;
		return drawn > MAX_DRAWN ? null : inside;
	};
	// It has the first claim to the room, wherever it is in the list.
	const first = openAtFirst(runs);
	const opened = first ? draw(first) : null;
	return (
		<div id="timeline" lang="en" dir="ltr">
			<p id="announcer" class="visually-hidden" role="status" />
			<div class="toolbar" part="toolbar">
				<Filters view={view} choice={choice} path={path} />
				<Search />
			</div>
			<ol id="runs" part="runs" aria-label="Workflow runs, newest first">
				{runs.map((run, index) => {
					const inside = run === first ? opened : draw(run);
					const place = runs.length < view.runs.length ? ([index + 1, view.runs.length] as const) : null;
					const open = run === first && opened !== null;
					return <Run run={run} viewing={viewing} open={open} inside={inside} place={place} />;
				})}
			</ol>
			<Below view={view} choice={choice} path={path} next={next} />
		</div>
	);
}
