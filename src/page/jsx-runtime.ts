import { escapeToBuffer } from "hono/utils/html";

/*
 * On the server the pages' components make HTML text: the build puts this module in the place of hono's JSX runtime, of
 * which they would use a fifth. It knows elements, attributes and text, as its twin in the browser does. Whatever is not
 * made here is escaped, so that nothing that anybody reported becomes markup.
 */

type Props = Record<string, unknown> & { children?: unknown };

/** Markup that was made here. */
class Markup {
	readonly #text: string;

	constructor(text: string) {
		this.#text = text;
	}

	toString(): string {
		return this.#text;
	}
}

/** Elements without content or end tag (HTML Living Standard, 13.1.2). */
const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"]);

export function jsx(tag: string | ((props: Props) => unknown), props: Props): unknown {
	if (typeof tag === "function") return tag(props);
	let text = `<${tag}`;
	for (const [name, value] of Object.entries(props)) {
		if (name === "children" || value === false || value === null || value === undefined) continue;
		text += ` ${name}="${value === true ? "" : escaped(String(value))}"`;
	}
	return new Markup(VOID.has(tag) ? `${text}/>` : `${text}>${rendered(props.children)}</${tag}>`);
}

export { jsx as jsxs };

export function Fragment({ children }: Props): unknown {
	return new Markup(rendered(children));
}

function rendered(child: unknown): string {
	if (Array.isArray(child)) return child.map(rendered).join("");
	if (child instanceof Markup) return child.toString();
	return typeof child === "string" || typeof child === "number" ? escaped(String(child)) : "";
}

function escaped(text: string): string {
	const buffer: [string] = [""];
	escapeToBuffer(text, buffer);
	return buffer[0];
}
