/**
 * The server's clock, in milliseconds since the epoch. The device's clock may be minutes off. A run would then seem
 * to have started in the future.
 *
 * @param atResponse the server's time when it answered with this page
 */
export function serverClock(atResponse: number): () => number {
	const [navigation] = performance.getEntriesByType("navigation");
	const responseStart = navigation instanceof PerformanceNavigationTiming ? navigation.responseStart : 0;
	const offset = atResponse - (performance.timeOrigin + responseStart);
	return () => Date.now() + offset;
}
