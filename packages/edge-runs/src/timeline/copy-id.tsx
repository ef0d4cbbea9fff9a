/** A button that copies the id before it. Without a script there is no button: timeline.css hides it. */
export function CopyId({ what }: { what: string }) {
	return (
		<button type="button" class="copy" aria-label={`Copy the ${what}`}>
			Copy
		</button>
	);
}
