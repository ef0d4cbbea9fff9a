import type { RunsSource } from "../client/source.ts";
import type { LineState } from "../client/state.ts";
import type { WorkflowRun } from "../protocol/types.ts";
import { elementById, made } from "../timeline/browser/dom.ts";
import { showState } from "../timeline/browser/line-state.ts";
import { LiveTimeline } from "../timeline/browser/live.ts";
import { ALL, Embedded } from "../timeline/embedded.tsx";
import type { Viewing } from "../timeline/viewing.ts";
import css from "./element.css";
import { followChat } from "./follow.ts";
import { scriptsHaveRun } from "./scripts.ts";
import { ENDED } from "./texts.ts";

export interface WorkflowRunsElementEventMap {
	/** The reader has opened a run. */
	select: CustomEvent<{ readonly run: WorkflowRun }>;
	/** The connection has another state. */
	state: CustomEvent<LineState>;
}

/** Gives a read token, and a new one where `refused` is the last. */
export type GetToken = (refused?: string) => string | Promise<string>;

/** What may have been set on an element before this class was there. */
const PROPERTIES = ["src", "chat", "view", "token", "getToken", "source"] as const;

/** One for all elements. Made by script, so that a policy without `unsafe-inline` lets it be. */
let sheet: CSSStyleSheet | undefined;

function styleSheet(): CSSStyleSheet {
	if (!sheet) {
		sheet = new CSSStyleSheet();
		sheet.replaceSync(css);
	}
	return sheet;
}

/** A server has no elements, and may still import this. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/**
 * `<workflow-runs src="https://runs.example.com" chat="550e8400-…">`: a chat's workflow runs, kept up to date.
 *
 * Attributes: `src` the service's address, `chat` the chat's id, `view` `full` or `compact`, `theme` `light` or `dark`
 * (else as the page is), `token` a read token, `credentials` as of `fetch` (else `include`, with a token `omit`).
 */
export class WorkflowRunsElement extends Base {
	static readonly observedAttributes = ["src", "chat", "token", "credentials"];

	readonly #shadow = this.attachShadow({ mode: "open" });
	#getToken: GetToken | null = null;
	#token: string | null = null;
	/** Whether what the element follows began with a token. */
	#isByToken = false;
	#given: RunsSource | null = null;
	#source: RunsSource | null = null;
	#timeline: LiveTimeline | null = null;
	/** What the timeline listens for scrolling in. */
	#home: Node | null = null;
	/** Lets go of what the element follows. */
	#letGo: (() => void) | null = null;
	#isWaiting = false;

	connectedCallback(): void {
		for (const name of PROPERTIES) {
			if (!Object.hasOwn(this, name)) continue;
			const value = this[name];
			delete (this as Partial<WorkflowRunsElement>)[name];
			Object.assign(this, { [name]: value });
		}
		this.#shadow.adoptedStyleSheets = [styleSheet()];
		// An element that was only moved goes on.
		if (!this.#timeline || this.#home !== this.getRootNode()) this.#restart();
	}

	disconnectedCallback(): void {
		queueMicrotask(() => this.isConnected || this.#stop());
	}

	attributeChangedCallback(name: string, before: string | null, after: string | null): void {
		if (before === after) return;
		if (name === "token") this.#tokenChanged();
		else this.#restart();
	}

	/** The service's address; left out, the page's own. */
	get src(): string {
		return this.getAttribute("src") ?? "/";
	}
	set src(value: string | null) {
		this.#setAttribute("src", value);
	}

	/** The chat's id. */
	get chat(): string | null {
		return this.getAttribute("chat");
	}
	set chat(value: string | null) {
		this.#setAttribute("chat", value);
	}

	/** `full`, or `compact` for a sidebar. */
	get view(): "full" | "compact" {
		return this.getAttribute("view") === "compact" ? "compact" : "full";
	}
	set view(value: "full" | "compact" | null) {
		this.#setAttribute("view", value);
	}

	/** A read token. Set as a property it does not show in the document. */
	get token(): string | null {
		return this.#token ?? this.getAttribute("token");
	}
	set token(value: string | null) {
		if (value === this.#token) return;
		this.#token = value;
		this.#tokenChanged();
	}

	/**
	 * Asked for a read token before each connection, so that it can give a new one when the old one is about to end. Another
	 * function, as frameworks give with each render, is for the next connection.
	 */
	get getToken(): GetToken | null {
		return this.#getToken;
	}
	set getToken(value: GetToken | null) {
		this.#getToken = value ?? null;
		if (this.#hasToken !== this.#isByToken) this.#tokenChanged();
	}

	/** Runs that come from elsewhere than `src` and `chat`: a client's follower, for instance. */
	get source(): RunsSource | null {
		return this.#given;
	}
	set source(value: RunsSource | null) {
		if (value === this.#given) return;
		this.#given = value;
		this.#restart();
	}

	/** The runs, in the list's order; empty until the first are there. */
	get runs(): readonly WorkflowRun[] {
		return this.#source?.runs ?? [];
	}

	/** The state of the connection; null while nothing is followed. */
	get state(): LineState | null {
		return this.#source?.state ?? null;
	}

	/** Opens a run, and brings it into sight. */
	open(runId: string): void {
		this.#timeline?.open(runId.toLowerCase());
	}

	/** Connects again, where the connection has ended: after a sign-in, say. */
	retry(): void {
		if (this.state?.status !== "ended") return;
		if (this.#given?.retry) this.#given.retry();
		else this.#restart();
	}

	#setAttribute(name: string, value: string | null): void {
		if (value === null || value === undefined) this.removeAttribute(name);
		else this.setAttribute(name, value);
	}

	get #hasToken(): boolean {
		return this.getToken !== null || this.token !== null;
	}

	/** A connection that is open keeps its token; the next one takes the new. With the first token, or without any, it begins anew. */
	#tokenChanged(): void {
		if (this.#given) return;
		if (this.state?.status !== "live" || this.#hasToken !== this.#isByToken) this.#restart();
	}

	/** Begins anew, once for all that changes at the same time. */
	#restart(): void {
		if (this.#isWaiting) return;
		this.#isWaiting = true;
		void scriptsHaveRun().then(() => {
			this.#isWaiting = false;
			this.#stop();
			if (this.isConnected) this.#start();
		});
	}

	#stop(): void {
		this.#letGo?.();
		this.#letGo = this.#source = this.#timeline = null;
	}

	#start(): void {
		const source = this.#given ?? this.#follow();
		if (!source) {
			this.#shadow.replaceChildren();
			return;
		}
		const { timeZone: zone } = new Intl.DateTimeFormat().resolvedOptions();
		const viewing = (): Viewing => ({ now: Date.now(), zone, path: null });
		this.#shadow.replaceChildren(made(<Embedded viewing={viewing()} />));
		this.#source = source;
		const timeline = new LiveTimeline(this.#shadow, source, {
			viewing,
			choice: ALL,
			onSelect: (run) => this.#tell("select", { run }),
			onLoad: () => {
				elementById(this.#shadow, "content").hidden = false;
			},
		});
		this.#timeline = timeline;
		this.#home = this.getRootNode();
		let told: LineState | null = null;
		const tell = () => {
			const { state } = source;
			if (state === told) return;
			told = state;
			this.#showState(state);
			this.#tell("state", state);
		};
		const unsubscribe = source.subscribe(tell);
		tell();
		this.#letGo = () => {
			unsubscribe();
			timeline.close();
			if (source !== this.#given && "close" in source) (source as { close(): void }).close();
		};
	}

	#follow(): RunsSource | null {
		const { chat } = this;
		const hasToken = this.#hasToken;
		this.#isByToken = hasToken;
		if (!chat) return null;
		const credentials = this.getAttribute("credentials") ?? (hasToken ? "omit" : "include");
		return followChat(this.src, chat, {
			credentials: credentials as "include",
			token: hasToken ? (refused) => this.getToken?.(refused) ?? this.token ?? "" : undefined,
		});
	}

	#showState(state: LineState): void {
		showState(this.#shadow, state, ENDED);
		if (state.status !== "ended" || ENDED[state.reason] === "" || (this.#given && !this.#given.retry)) return;
		const notice = elementById(this.#shadow, "ended");
		const button = made(
			<button type="button" part="retry">
				Try again
			</button>,
		);
		button.addEventListener("click", () => this.retry());
		notice.append(" ", button);
	}

	#tell<K extends keyof WorkflowRunsElementEventMap>(type: K, detail: WorkflowRunsElementEventMap[K]["detail"]): void {
		this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
	}
}
