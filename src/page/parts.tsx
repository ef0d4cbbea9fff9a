import type { Status } from "../workflow-runs/schemas.ts";
import { STATUS_WORD, StatusIcon } from "./status.tsx";
import type { View } from "./view.ts";

interface Props {
	readonly view: View;
	/** The filter that is on; null: all runs. */
	readonly status: Status | null;
	/** The page's path. */
	readonly path: string;
}

const FILTERS: readonly Status[] = ["running", "pending", "failed", "completed", "cancelled"];

/** Links that choose a status, each with its number of runs. */
export function Filters({ view: { counts, total }, status, path }: Props) {
	return (
		<nav id="filters" aria-label="Filter by status">
			<a href={path} aria-current={status === null ? "true" : undefined}>
				All <span class="count">{total}</span>
			</a>
			{FILTERS.map((each) => (
				<a href={`${path}?status=${each}`} aria-current={status === each ? "true" : undefined}>
					<StatusIcon status={each} /> {STATUS_WORD[each]} <span class="count">{counts[each]}</span>
				</a>
			))}
		</nav>
	);
}

/** The part below the list: a link to more runs, or a note that there are none. */
export function Below({ view: { runs, total, next }, status, path }: Props) {
	const query = status === null ? "" : `status=${status}&`;
	return (
		<div id="below">
			{runs.length > 0 ? null : total === 0 ? (
				<div class="empty">
					<h2>No workflow runs yet</h2>
					<p>A run shows here as soon as it is reported.</p>
				</div>
			) : (
				<div class="empty">
					<h2>No {status === null ? "older" : status} runs</h2>
					<p>
						<a href={path}>Show all runs</a>
					</p>
				</div>
			)}
			{next && (
				<a class="more" rel="next" href={`${path}?${query}before=${next}`}>
					Show older runs
				</a>
			)}
		</div>
	);
}
