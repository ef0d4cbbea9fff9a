import type { Root } from "./dom.ts";

/**
 * `/` goes to the search, Escape empties it. An element takes keys only while it has the focus: the rest of the page is
 * somebody else's.
 */
export function handleKeys(root: Root, search: HTMLInputElement, signal: AbortSignal): void {
	root.addEventListener(
		"keydown",
		(event) => {
			if (!(event instanceof KeyboardEvent) || event.defaultPrevented) return;
			const { key, target } = event;
			const isTyping = target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
			if (key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
				event.preventDefault();
				search.focus();
				search.select();
			}
			if (key === "Escape" && target === search && search.value !== "") {
				event.preventDefault();
				search.value = "";
				search.dispatchEvent(new Event("input"));
			}
		},
		{ signal },
	);
}
