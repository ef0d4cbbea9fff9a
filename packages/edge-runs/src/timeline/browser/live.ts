import type { RunsSource } from "../../client/source.ts";
import type { WorkflowRun } from "../../protocol/types.ts";
import { isStatus } from "../status.tsx";
import type { Choice } from "../view.ts";
import type { Viewing } from "../viewing.ts";
import { announceIn } from "./announcer.ts";
import { Board } from "./board.tsx";
import { elementById, type Root } from "./dom.ts";
import { handleKeys } from "./keys.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
/** A copied id is confirmed for this long, in milliseconds. */
const CONFIRMED = 1_500;

export interface LiveOptions {
	readonly viewing: () => Viewing;
	readonly choice: Choice;
	/** Called when the reader opens a run. */
	readonly onSelect?: (run: WorkflowRun) => void;
	/** Called once, when the first runs are shown. */
	readonly onLoad?: () => void;
}

/** Makes a timeline live that is in the document already, complete or empty. */
export class LiveTimeline {
	readonly #root: Root;
	readonly #source: RunsSource;
	readonly #options: LiveOptions;
	readonly #board: Board;
	readonly #announce: ReturnType<typeof announceIn>;
	readonly #stop = new AbortController();
	readonly #search: HTMLInputElement | null;
	#choice: Choice;
	/** The runs as they were shown last; null before the first. */
	#before: ReadonlyMap<string, WorkflowRun> | null = null;
	#last: readonly WorkflowRun[] | null = null;
	#isDrawing = false;

	constructor(root: Root, source: RunsSource, options: LiveOptions) {
		this.#root = root;
		this.#source = source;
		this.#options = options;
		this.#choice = options.choice;
		const { signal } = this.#stop;
		this.#board = new Board(root, options.viewing, signal);
		this.#announce = announceIn(elementById(root, "announcer"));
		const timeline = elementById(root, "timeline");
		timeline.dataset["live"] = "";
		timeline.addEventListener("click", (event) => this.#click(event), { signal });
		// The page of one run has nothing to search.
		this.#search = root.getElementById("search") as HTMLInputElement | null;
		if (this.#search) this.#listenTo(this.#search, signal);
		const timers = [
			setInterval(() => document.hidden || this.#board.grow(), SECOND),
			setInterval(() => this.#board.age(), MINUTE),
		];
		signal.addEventListener("abort", () => timers.forEach(clearInterval));
		signal.addEventListener(
			"abort",
			source.subscribe(() => this.#changed()),
		);
		this.#changed();
	}

	get choice(): Choice {
		return this.#choice;
	}

	/** Shows other runs of the chat. */
	choose(choice: Choice): void {
		this.#choice = choice;
		if (this.#search && this.#search.value !== choice.search) this.#search.value = choice.search;
		if (this.#source.isLoaded) this.#board.show(this.#source.runs, choice);
	}

	/** Opens a run, wherever in the list it is, whatever is chosen. */
	open(id: string): void {
		if (!this.#source.runs.some((run) => run.id === id)) return;
		if (!this.#board.has(id)) this.choose({ status: null, after: null, search: "" });
		this.#board.open(id);
	}

	/** Lets go of everything but what is shown. */
	close(): void {
		this.#stop.abort();
	}

	/** Draws once for all changes of the same frame. */
	#changed(): void {
		const { isLoaded, runs } = this.#source;
		if (!isLoaded || runs === this.#last || this.#isDrawing) return;
		this.#isDrawing = true;
		requestAnimationFrame(() => {
			this.#isDrawing = false;
			if (!this.#stop.signal.aborted) this.#show();
		});
	}

	#show(): void {
		const { runs } = this.#source;
		const before = this.#before;
		this.#last = runs;
		this.#before = new Map(runs.map((run) => [run.id, run]));
		if (before) this.#announce(runs.filter((run) => before.get(run.id)?.status !== run.status).map((run) => ({ run })));
		this.#board.show(runs, this.#choice);
		if (!before) this.#options.onLoad?.();
	}

	#listenTo(search: HTMLInputElement, signal: AbortSignal): void {
		search.addEventListener("input", () => this.choose({ ...this.#choice, search: search.value }), { signal });
		handleKeys(this.#root, search, signal);
	}

	#click(event: MouseEvent): void {
		const target = event.target instanceof Element ? event.target : null;
		const copy = target?.closest<HTMLElement>(".copy");
		if (copy) {
			void copyId(copy);
			return;
		}
		const parent = target?.closest<HTMLElement>("[data-run]")?.dataset["run"];
		if (parent !== undefined) this.open(parent);
		const status = target?.closest<HTMLElement>("[data-status]")?.dataset["status"];
		if (status !== undefined) {
			const search = status === "" ? "" : this.#choice.search;
			this.choose({ status: isStatus(status) ? status : null, after: null, search });
			return;
		}
		const details = target?.closest("summary")?.parentElement as HTMLDetailsElement | undefined;
		const run = details?.matches("#runs > li > details") && !details.open && this.#board.runAt(details);
		if (run) this.#options.onSelect?.(run);
	}
}

async function copyId(button: HTMLElement): Promise<void> {
	try {
		await navigator.clipboard.writeText(button.previousSibling?.textContent ?? "");
		button.textContent = "Copied";
	} catch {
		// Without a permission; and a page that was not asked for over https has no clipboard at all.
		button.textContent = "Not allowed";
	}
	setTimeout(() => {
		button.textContent = "Copy";
	}, CONFIRMED);
}
