/**
 * The server's clock, in milliseconds since the epoch: a device's own may be minutes off, and what runs would
 * seem to have started in the future.
 *
 * @param atResponse the server's time when it answered with this page
 */
export function serverClock(atResponse: number): () => number {
	const [navigation] = performance.getEntriesByType("navigation");
	const responseStart = navigation instanceof PerformanceNavigationTiming ? navigation.responseStart : 0;
	const offset = atResponse - (performance.timeOrigin + responseStart);
	return () => Date.now() + offset;
}
