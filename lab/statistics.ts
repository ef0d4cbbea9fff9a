/** The value below which a share of the values lies. @param ascending at least one value */
export function quantile(ascending: readonly number[], share: number): number {
	return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] as number;
}

export function median(values: readonly number[]): number {
	return quantile(
		values.toSorted((a, b) => a - b),
		0.5,
	);
}
