/** A longer error is folded, so that one stack trace does not hide the other steps. In characters and lines. */
const MAX_UNFOLDED = 300;
const MAX_LINES = 4;

/** What an error says: all of it at once, or its beginning, which unfolds. */
export function ErrorText({ text, kind }: { text: string; kind: "error" | "past-error" }) {
	if (text.length <= MAX_UNFOLDED && text.split("\n", MAX_LINES + 1).length <= MAX_LINES) {
		return (
			<p class={kind} dir="auto">
				{text}
			</p>
		);
	}
	return (
		<details class={`${kind} folded`}>
			<summary dir="auto">{beginningOf(text)}</summary>
			<div class="whole" dir="auto">
				{text}
			</div>
		</details>
	);
}

/** The first line, or as much of it as shows in about two. */
function beginningOf(text: string): string {
	const [line = ""] = text.trimStart().split("\n", 1);
	const start = line.slice(0, MAX_UNFOLDED / 2);
	// Never half of a surrogate pair.
	return `${start.replace(/[\uD800-\uDBFF]$/, "")} …`;
}
