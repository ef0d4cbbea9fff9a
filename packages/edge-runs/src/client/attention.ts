/*
 * Events of a browser's page and network. Other runtimes have none of them, and need none.
 */

/** A page that nobody looks at closes its line after this, in milliseconds. */
const HIDDEN_MILLISECONDS = 60_000;

/** The part of a browser's globals that is used here. Node and Workers have parts of it, or nothing. */
interface Browser {
	readonly document?: { readonly hidden: boolean } & EventTarget;
	readonly navigator?: { readonly onLine?: boolean };
	addEventListener?(type: string, listener: () => void, options: { signal: AbortSignal }): void;
}

const browser = () => globalThis as unknown as Browser;

/** Whether the browser is sure that there is no network. */
export const isOffline = (): boolean => browser().navigator?.onLine === false;

export interface Attention {
	/** Nobody looks any more. */
	onAway(): void;
	/** Somebody looks, or the network is back. */
	onBack(): void;
	onOffline(): void;
}

/** Tells of the page and its network, until `signal` ends it. */
export function watchAttention({ onAway, onBack, onOffline }: Attention, signal: AbortSignal): void {
	const { document, addEventListener } = browser();
	if (!document || !addEventListener) return;
	let timer: ReturnType<typeof setTimeout> | undefined;
	const look = () => {
		clearTimeout(timer);
		if (document.hidden) timer = setTimeout(onAway, HIDDEN_MILLISECONDS);
		else onBack();
	};
	document.addEventListener("visibilitychange", look, { signal });
	const on = (type: string, listener: () => void) => addEventListener.call(globalThis, type, listener, { signal });
	on("online", onBack);
	on("offline", onOffline);
	// A page in the back/forward cache must not keep a line open.
	on("pagehide", onAway);
	on("pageshow", onBack);
	signal.addEventListener("abort", () => clearTimeout(timer));
	if (document.hidden) look();
}
