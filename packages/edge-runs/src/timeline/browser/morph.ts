/** What stays as it is: whether a `details` is open is the reader's choice, and where a run is in the list the board's. */
const OTHERS = ["open", "aria-posinset", "aria-setsize"];

/**
 * Makes an element equal to another one with as few changes as possible. So focus, selection and scroll position stay,
 * and the browser lays out only the changed part.
 */
export function morph(element: Element, like: Element): void {
	for (const { name, value } of like.attributes) {
		if (!OTHERS.includes(name) && element.getAttribute(name) !== value) element.setAttribute(name, value);
	}
	for (const { name } of [...element.attributes]) {
		if (!OTHERS.includes(name) && !like.hasAttribute(name)) element.removeAttribute(name);
	}
	let next = element.firstChild;
	for (const wanted of [...like.childNodes]) {
		const child = next;
		next = child?.nextSibling ?? null;
		if (!child) element.append(wanted);
		else if (child.nodeName !== wanted.nodeName) child.replaceWith(wanted);
		else if (child instanceof Element && wanted instanceof Element) morph(child, wanted);
		else if (child.nodeValue !== wanted.nodeValue) child.nodeValue = wanted.nodeValue;
	}
	while (next) {
		const rest = next;
		next = rest.nextSibling;
		rest.remove();
	}
}
