/*
 * In the browser the page's components make DOM nodes: the build replaces hono's JSX runtime by this module. It knows
 * elements, attributes and text, since the components use nothing else. It cannot turn text into markup.
 */

type Props = Record<string, unknown> & { children?: unknown };

const SVG = "http://www.w3.org/2000/svg";
/** The SVG elements that the components use. A child is made before its parent, so only its name tells that it is SVG. */
const SVG_ELEMENTS = new Set(["svg", "g", "line", "path", "rect", "symbol", "text", "use"]);

export function jsx(tag: string | ((props: Props) => Node), props: Props): Node {
	if (typeof tag === "function") return tag(props);
	const element = SVG_ELEMENTS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
	for (const [name, value] of Object.entries(props)) {
		if (name === "children") append(element, value);
		else if (value === true) element.setAttribute(name, "");
		else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
	}
	// As an HTML parser does it, so that these nodes compare equal to those from the server.
	element.normalize();
	return element;
}

export { jsx as jsxs };

export function Fragment({ children }: Props): Node {
	const fragment = document.createDocumentFragment();
	append(fragment, children);
	return fragment;
}

function append(parent: Element | DocumentFragment, child: unknown): void {
	if (Array.isArray(child)) for (const each of child) append(parent, each);
	else if (child instanceof Node) parent.append(child);
	else if (typeof child === "string" || typeof child === "number") parent.append(String(child));
}
