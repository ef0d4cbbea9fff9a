/** A plain table: text to the left, numbers to the right, blank where the first column repeats. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const lines = [head, ...rows];
	const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
	const isNumber = head.map((_, column) => rows.every((row) => /^[\d.,]*$/.test(row[column] ?? "")));
	let previous: string | undefined;
	const printed = lines.map((line) => {
		const cells = line.map((cell, column) => {
			const text = column === 0 && cell === previous ? "" : cell;
			return isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
		});
		previous = line[0];
		return `  ${cells.join("  ").trimEnd()}`;
	});
	return `${printed.join("\n")}\n`;
}
