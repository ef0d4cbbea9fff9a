import type { WorkflowRun } from "../../workflow-runs/schemas.ts";
import { Below, Filters } from "../parts.tsx";
import { Run, runElementId } from "../run.tsx";
import { describeMoment } from "../time.ts";
import { type Choice, openAtFirst, viewOf } from "../view.ts";
import { morph } from "./morph.ts";

/** The part of the page that shows the runs. It follows them with as few changes to the document as possible. */
export class Board {
	readonly #list = elementById("runs");
	readonly #filters = elementById("filters");
	readonly #below = elementById("below");
	/** Each run's element, in the document or not. An element that comes back is as the reader left it. */
	readonly #elements = new Map([...this.#list.children].map((element) => [element.id, element]));
	/** The run that an element shows. */
	readonly #shown = new WeakMap<Element, WorkflowRun>();

	readonly now: () => number;

	/** @param now the server's time, in milliseconds since the epoch */
	constructor(now: () => number) {
		this.now = now;
	}

	/** Shows the chosen runs. Draws only the changed ones. */
	show(runs: readonly WorkflowRun[], choice: Choice): void {
		const view = viewOf(runs, choice);
		const parts = { view, status: choice.status, path: location.pathname };
		morph(this.#filters, made(<Filters {...parts} />));
		morph(this.#below, made(<Below {...parts} />));

		const opened = openAtFirst(view.runs);
		const kept = view.runs.map((run) => [run, this.#elementOf(run, run === opened)] as const);
		const gone = new Set(this.#list.children);
		for (const [, element] of kept) gone.delete(element);
		for (const element of gone) element.remove();
		let next = this.#list.firstElementChild;
		for (const [run, element] of kept) {
			if (element === next) next = element.nextElementSibling;
			else this.#list.insertBefore(element, next);
			if (this.#shown.get(element) !== run) this.#draw(element, run);
		}
	}

	/** Draws the bars of running steps longer, if they are in sight. */
	grow(): void {
		for (const element of this.#list.querySelectorAll(":scope > .running")) {
			const run = this.#shown.get(element);
			const { top, bottom } = element.getBoundingClientRect();
			if (run && bottom > 0 && top < innerHeight) this.#draw(element, run);
		}
	}

	/** Updates the texts that say how long ago something was. */
	age(): void {
		const now = this.now();
		for (const element of document.querySelectorAll("time")) {
			const text = describeMoment(element.dateTime, now);
			if (element.textContent !== text) element.textContent = text;
		}
	}

	#elementOf(run: WorkflowRun, open: boolean): Element {
		const id = runElementId(run.id);
		let element = this.#elements.get(id);
		if (!element) {
			element = made(<Run run={run} now={this.now()} open={open} />);
			this.#elements.set(id, element);
			this.#shown.set(element, run);
		}
		return element;
	}

	#draw(element: Element, run: WorkflowRun): void {
		morph(element, made(<Run run={run} now={this.now()} open={false} />));
		this.#shown.set(element, run);
	}
}

/** In the browser, components make elements; see `jsx-runtime`. */
const made = (element: unknown) => element as Element;

export function elementById(id: string): HTMLElement {
	const element = document.getElementById(id);
	if (!element) throw new Error(`The page has no #${id}`);
	return element;
}
