import type { WorkflowRun } from "../protocol/types.ts";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** What came of a run or step: its metrics, and its output, folded. */
export function Results({ of: { metrics, output } }: { of: Pick<WorkflowRun, "metrics" | "output"> }) {
	const named = Object.entries(metrics ?? {});
	return (
		<>
			{named.length > 0 && (
				<ul class="metrics" aria-label="Metrics">
					{named.map(([name, value]) => (
						<li>
							<span dir="auto">{name}</span> <b>{number.format(value)}</b>
						</li>
					))}
				</ul>
			)}
			{output !== undefined && (
				<details class="output">
					<summary>Output</summary>
					<pre dir="auto">{typeof output === "string" ? output : JSON.stringify(output, null, 2)}</pre>
				</details>
			)}
		</>
	);
}
