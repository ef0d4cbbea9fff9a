/** A D1 bookmark: groups of hexadecimal digits. As text, bookmarks sort from oldest to newest. */
export const BOOKMARK = /^[0-9a-f]{8}(-[0-9a-f]{8}){2}-[0-9a-f]{32}$/;

/** In place of a bookmark: the primary, which includes whatever was written. */
export const PRIMARY = "first-primary";

/** Whether a read with the bookmark `seen` includes what one with `bookmark` saw. */
export function isIncluded(bookmark: string, seen: string | null | undefined): boolean {
	return !!seen && bookmark <= seen;
}

/** The newer of two bookmarks. */
export function newer(a: string | null, b: string | null): string | null {
	if (!a || !b) return a || b;
	return a > b ? a : b;
}
