import type { WorkflowRun } from "../../workflow-runs/schemas.ts";
import { runElementId } from "../ids.ts";
import { Below, Filters } from "../parts.tsx";
import { Run } from "../run.tsx";
import { describeMoment } from "../time.ts";
import { type Choice, openAtFirst, viewOf } from "../view.ts";
import { morph } from "./morph.ts";

/** The part of the page that shows the runs. It follows them with as few changes to the document as possible. */
export class Board {
	readonly #list = elementById("runs");
	readonly #filters = elementById("filters");
	readonly #below = elementById("below");
	/** Each shown run's element. */
	readonly #elements = new Map([...this.#list.children].map((element) => [element.id, element]));
	/** The run that an element shows. */
	readonly #shown = new WeakMap<Element, WorkflowRun>();
	/** Whether the reader left a run open that is no longer shown. Its element is gone: 10,000 of them are a burden. */
	readonly #left = new Map<string, boolean>();

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
		this.#forgetAllBut(kept.map(([, element]) => element));
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

	/** Opens a run that is shown, and brings it into sight. */
	open(id: string): void {
		const details = this.#elements.get(id)?.querySelector("details");
		if (!details) return;
		details.open = true;
		details.scrollIntoView({ block: "nearest" });
		details.querySelector("summary")?.focus({ preventScroll: true });
	}

	#forgetAllBut(kept: readonly Element[]): void {
		const staying = new Set(kept);
		const gone = [...this.#list.children].filter((element) => !staying.has(element));
		for (const element of gone) {
			this.#elements.delete(element.id);
			this.#left.set(element.id, element.querySelector("details")?.open === true);
		}
		// All at once where most go: each removal by itself has the browser look at all the others.
		if (gone.length > staying.size) this.#list.replaceChildren(...kept.filter((element) => element.isConnected));
		else for (const element of gone) element.remove();
	}

	#elementOf(run: WorkflowRun, openAtFirst: boolean): Element {
		const id = runElementId(run.id);
		let element = this.#elements.get(id);
		if (!element) {
			element = made(<Run run={run} now={this.now()} open={this.#left.get(id) ?? openAtFirst} />);
			this.#left.delete(id);
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
