import type { WorkflowRunStatus } from "../protocol/types.ts";
import { STATUS_WORD, StatusIcon } from "./status.tsx";
import type { Choice, View } from "./view.ts";

interface Props {
	readonly view: View;
	readonly choice: Choice;
	/** The page's path; null where there are no addresses: filters are buttons then. */
	readonly path: string | null;
}

const FILTERS: readonly WorkflowRunStatus[] = ["running", "pending", "failed", "completed", "cancelled"];

/** What chooses a status, each with its number of runs. */
export function Filters({ view: { counts, total }, choice, path }: Props) {
	return (
		<nav id="filters" aria-label="Filter by status">
			{[null, ...FILTERS].map((status) => {
				const inside = (
					<>
						{status && <StatusIcon status={status} />} {status ? STATUS_WORD[status] : "All"}{" "}
						<span class="count">{status ? counts[status] : total}</span>
					</>
				);
				const isOn = choice.status === status;
				if (path === null) {
					return (
						<button type="button" data-status={status ?? ""} aria-pressed={isOn ? "true" : "false"}>
							{inside}
						</button>
					);
				}
				return (
					<a href={status ? `${path}?status=${status}` : path} aria-current={isOn ? "true" : undefined}>
						{inside}
					</a>
				);
			})}
		</nav>
	);
}

/** Chooses runs by a text. It works by the script alone: timeline.css hides it until that is there. */
export function Search() {
	return (
		<input
			id="search"
			type="search"
			placeholder="Search"
			aria-label="Search runs by name, id or error"
			aria-keyshortcuts="/"
			autocomplete="off"
			dir="auto"
		/>
	);
}

/** The part below the list: a link to more runs, or a note that there are none. */
export function Below({ view: { runs, total }, choice, path, next }: Props & { readonly next: string | null }) {
	return (
		<div id="below">
			{runs.length === 0 && <NoRuns total={total} choice={choice} path={path} />}
			{next && (
				<a class="more" rel="next" href={next}>
					Show older runs
				</a>
			)}
		</div>
	);
}

function NoRuns({ total, choice: { status, search }, path }: Pick<Props, "choice" | "path"> & { total: number }) {
	if (total === 0) {
		return (
			<div class="empty">
				<h2>No workflow runs yet</h2>
				<p>A run shows here as soon as it is reported.</p>
			</div>
		);
	}
	const found = search.trim() === "" ? "" : " found";
	return (
		<div class="empty">
			<h2>
				No {status ?? (found ? "" : "older")} runs{found}
			</h2>
			<p>
				{path === null ? (
					<button type="button" class="plain" data-status="">
						Show all runs
					</button>
				) : (
					<a href={path}>Show all runs</a>
				)}
			</p>
		</div>
	);
}
