/** A D1 bookmark: groups of hexadecimal digits. As text, bookmarks sort from oldest to newest. */
export const BOOKMARK = /^[0-9a-f]{8}(-[0-9a-f]{8}){2}-[0-9a-f]{32}$/;

/** The newer of two bookmarks. */
export function newer(a: string | null | undefined, b: string | null | undefined): string | null {
	if (!a || !b) return a || b || null;
	return a > b ? a : b;
}
