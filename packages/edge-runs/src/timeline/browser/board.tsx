import type { WorkflowRun } from "../../protocol/types.ts";
import { runElementId } from "../ids.ts";
import { Below, Filters } from "../parts.tsx";
import { Inside, Run } from "../run.tsx";
import { describeMoment } from "../time.ts";
import { type Choice, openAtFirst, viewOf } from "../view.ts";
import type { Viewing } from "../viewing.ts";
import { elementById, made, onScroll, type Root, setNumber } from "./dom.ts";
import { Heights } from "./heights.ts";
import { morph } from "./morph.ts";

/** Runs so near to what is in sight are drawn, in CSS pixels: a quick turn of the wheel shows no gap. */
const NEAR = 700;
/** Where more are needed, this much is drawn at once. */
const FAR = 2_000;
/** Paper has no scrolling: so many are printed. */
const MAX_PRINTED = 500;

/**
 * The part of a timeline that shows the runs. It follows them with as few changes to the document as possible, and draws
 * only those that are in sight or near: a browser is slow with 10,000 of them.
 */
export class Board {
	readonly #root: Root;
	readonly #viewing: () => Viewing;
	readonly #list: HTMLElement;
	readonly #above = spacer();
	readonly #under = spacer();
	readonly #heights = new Heights();
	/** Each drawn run's element, by its id. */
	readonly #elements: Map<string, Element>;
	/** The run that an element shows. */
	readonly #shown = new WeakMap<Element, WorkflowRun>();
	/** Whether the reader left a run open that is no longer drawn. */
	readonly #left = new Map<string, boolean>();
	#runs: readonly WorkflowRun[] = [];
	/** The runs that are drawn: from the first to before the last. */
	#drawn: [first: number, end: number] = [0, 0];
	#opened: WorkflowRun | undefined;

	constructor(root: Root, viewing: () => Viewing, signal: AbortSignal) {
		this.#root = root;
		this.#viewing = viewing;
		this.#list = elementById(root, "runs");
		this.#elements = new Map([...this.#list.children].map((element) => [element.id, element]));
		this.#list.before(this.#above);
		this.#list.after(this.#under);
		onScroll(root, () => this.#look(), signal);
		// Also when it is shown at all, and when a run is opened.
		let width = this.#list.clientWidth;
		const resized = new ResizeObserver(() => {
			if (this.#list.clientWidth !== width) this.#heights.widthChanged();
			width = this.#list.clientWidth;
			this.#look();
		});
		resized.observe(this.#list);
		signal.addEventListener("abort", () => resized.disconnect());
		addEventListener("beforeprint", () => this.#place([0, Math.min(this.#runs.length, MAX_PRINTED)]), { signal });
		addEventListener("afterprint", () => this.#place(this.#inSight(FAR)), { signal });
		this.#list.addEventListener("toggle", (event) => this.#drawInside(event.target), { capture: true, signal });
	}

	/** Shows the chosen runs. Draws only the changed ones. */
	show(runs: readonly WorkflowRun[], choice: Choice): void {
		const view = viewOf(runs, choice);
		const parts = { view, choice, path: this.#viewing().path };
		// The page of one run has neither.
		const [filters, below] = [this.#root.getElementById("filters"), this.#root.getElementById("below")];
		if (filters) morph(filters, made(<Filters {...parts} />));
		if (below) morph(below, made(<Below {...parts} next={null} />));
		this.#runs = view.runs;
		this.#opened = openAtFirst(view.runs);
		this.#place(this.#inSight(FAR));
	}

	/** The run that an element is part of. */
	runAt(element: Element): WorkflowRun | undefined {
		const item = element.closest("#runs > li");
		return item ? this.#shown.get(item) : undefined;
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
		const { now } = this.#viewing();
		for (const element of this.#root.querySelectorAll<HTMLTimeElement>("time:not(.zoned)")) {
			const text = describeMoment(element.dateTime, now);
			if (element.textContent !== text) element.textContent = text;
		}
	}

	/** Whether a run is among the chosen ones. */
	has(id: string): boolean {
		return this.#runs.some((run) => run.id === id);
	}

	/** Opens one of the chosen runs, and brings it into sight. */
	open(id: string): void {
		const index = this.#runs.findIndex((run) => run.id === id);
		if (index === -1) return;
		// With those around it: a list that is in sight as a whole is what the browser keeps in place, whatever comes into it.
		if (index < this.#drawn[0] || index >= this.#drawn[1]) this.#place(this.#around(index));
		const element = this.#elements.get(runElementId(id));
		const details = element?.querySelector("details");
		if (!details) return;
		this.#drawInside(details);
		details.open = true;
		details.scrollIntoView({ block: "nearest" });
		details.querySelector("summary")?.focus({ preventScroll: true });
	}

	/** Draws what a run has inside, once it is opened. */
	#drawInside(details: EventTarget | null): void {
		const element = details instanceof HTMLElement && details.parentElement;
		const run = element && this.#shown.get(element);
		if (run && element.querySelector("[data-not-drawn]")) this.#draw(element, run, true);
	}

	/** Draws what came into sight. */
	#look(): void {
		const [first, end] = this.#inSight(NEAR);
		if (first < this.#drawn[0] || end > this.#drawn[1]) this.#place(this.#inSight(FAR));
	}

	/** The runs that are in sight, or this near to it. */
	#inSight(margin: number): [first: number, end: number] {
		const { top } = this.#above.getBoundingClientRect();
		return this.#heights.within(this.#runs, -top - margin, innerHeight - top + margin);
	}

	/** The runs near one that may be out of sight. */
	#around(index: number): [first: number, end: number] {
		const top = this.#heights.sum(this.#runs.slice(0, index));
		return this.#heights.within(this.#runs, top - FAR, top + FAR);
	}

	#place([first, end]: [first: number, end: number]): void {
		this.#measure();
		this.#drawn = [first, end];
		const runs = this.#runs.slice(first, end);
		const kept = runs.map((run) => [run, this.#elementOf(run)] as const);
		this.#forgetAllBut(kept.map(([, element]) => element));
		let next = this.#list.firstElementChild;
		for (const [index, [run, element]] of kept.entries()) {
			if (element === next) next = element.nextElementSibling;
			else this.#list.insertBefore(element, next);
			if (this.#shown.get(element) !== run) this.#draw(element, run);
			const isPart = kept.length < this.#runs.length;
			setNumber(element, "aria-posinset", isPart ? first + index + 1 : null);
			setNumber(element, "aria-setsize", isPart ? this.#runs.length : null);
		}
		setHeight(this.#above, this.#heights.sum(this.#runs.slice(0, first)));
		setHeight(this.#under, this.#heights.sum(this.#runs.slice(end)));
	}

	/** Notes how high the drawn runs are, for when they are no longer drawn. */
	#measure(): void {
		const closed: number[] = [];
		for (const element of this.#list.children) {
			const { height } = element.getBoundingClientRect();
			const run = this.#shown.get(element);
			if (!run) continue;
			this.#heights.note(run.id, height);
			if (height > 0 && !element.querySelector("details")?.open) closed.push(height);
		}
		this.#heights.noteUsual(closed);
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

	#elementOf(run: WorkflowRun): Element {
		const id = runElementId(run.id);
		let element = this.#elements.get(id);
		if (!element) {
			const open = this.#left.get(id) ?? run === this.#opened;
			element = this.#made(run, open, open);
			this.#left.delete(id);
			this.#elements.set(id, element);
			this.#shown.set(element, run);
		}
		return element;
	}

	#draw(element: Element, run: WorkflowRun, inside = !element.querySelector("[data-not-drawn]")): void {
		morph(element, this.#made(run, false, inside));
		this.#shown.set(element, run);
	}

	#made(run: WorkflowRun, open: boolean, inside: boolean): Element {
		const viewing = this.#viewing();
		return made(
			<Run run={run} viewing={viewing} open={open} inside={inside ? <Inside run={run} viewing={viewing} /> : null} />,
		);
	}
}

/** Stands for the runs that are not drawn. */
function spacer(): HTMLElement {
	const element = document.createElement("div");
	element.ariaHidden = "true";
	// Else the browser keeps it in its place when runs are drawn before it, scrolls on by their height, and so on.
	element.style.setProperty("overflow-anchor", "none");
	return element;
}

function setHeight(element: HTMLElement, height: number): void {
	const text = `${height}px`;
	if (element.style.height !== text) element.style.height = text;
}
