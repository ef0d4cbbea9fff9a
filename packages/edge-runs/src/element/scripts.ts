let waiting: Promise<unknown> | undefined;

/**
 * Resolves at the end of the task, and not before the document's own scripts have run: one after `element.js` may say where
 * an element of the document gets its tokens from.
 */
export function scriptsHaveRun(): Promise<unknown> {
	waiting ??= new Promise((resolve) => {
		const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
		if (document.readyState === "complete" || navigation?.domContentLoadedEventStart) return resolve(undefined);
		// Behind all listeners. A page of which nobody knows whether it is parsed is at least loaded some time.
		for (const type of ["DOMContentLoaded", "load"]) addEventListener(type, () => setTimeout(resolve));
	});
	return waiting;
}
