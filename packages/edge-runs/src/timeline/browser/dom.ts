/** Where a timeline lives: a page, or an element's shadow. */
export type Root = Document | ShadowRoot;

/** In the browser, components make DOM nodes; see `jsx-runtime`. */
export const made = (element: unknown) => element as HTMLElement;

export function elementById(root: Root, id: string): HTMLElement {
	const element = root.getElementById(id);
	if (!element) throw new Error(`There is no #${id}`);
	return element;
}

/** Sets an attribute if it is another; null takes it away. */
export function setNumber(element: Element, name: string, value: number | null): void {
	if (value === null) element.removeAttribute(name);
	else if (element.getAttribute(name) !== `${value}`) element.setAttribute(name, `${value}`);
}

/**
 * Calls a listener, once a frame at most, when anything scrolls that the root may be in. Scroll events do not bubble, and
 * do not leave the shadow that they happen in.
 */
export function onScroll(root: Root, listener: () => void, signal: AbortSignal): void {
	let isWaiting = false;
	const soon = () => {
		if (isWaiting) return;
		isWaiting = true;
		requestAnimationFrame(() => {
			isWaiting = false;
			if (!signal.aborted) listener();
		});
	};
	const options = { capture: true, passive: true, signal };
	addEventListener("resize", soon, { signal });
	addEventListener("scroll", soon, options);
	for (let node: Node = root; node instanceof ShadowRoot; node = node.host.getRootNode()) {
		node.addEventListener("scroll", soon, options);
	}
}
