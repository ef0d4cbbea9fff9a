import { StatusShapes } from "./status.tsx";
import { Timeline } from "./timeline.tsx";
import { type Choice, viewOf } from "./view.ts";
import type { Viewing } from "./viewing.ts";

export const ALL: Choice = { status: null, after: null, search: "" };

/** What is in the element's shadow before the first runs are there. */
export function Embedded({ viewing }: { viewing: Viewing }) {
	return (
		<>
			<StatusShapes />
			<div class="head" part="head">
				<h2 part="title">
					<slot name="title">Workflow runs</slot>
				</h2>
				<p id="connection" part="connection" role="status" lang="en" dir="ltr" hidden />
			</div>
			<p id="ended" class="notice" part="notice" role="alert" lang="en" dir="ltr" hidden />
			<div id="content" hidden>
				<Timeline view={viewOf([], ALL)} runs={[]} choice={ALL} viewing={viewing} next={null} />
			</div>
		</>
	);
}
