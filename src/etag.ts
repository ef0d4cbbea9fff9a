import { sha256Hex } from "./digest.ts";

/** JSON as it is served, and its entity tag, with its quotes (RFC 9110, 8.8.3). */
export interface JsonBody {
	/** In UTF-8. */
	readonly body: ArrayBuffer;
	readonly etag: string;
}

/** The tag is a digest of the bytes. So equal tags mean equal bodies, whichever version or data centre made them. */
export async function jsonBody(json: string): Promise<JsonBody> {
	const body = new TextEncoder().encode(json).buffer as ArrayBuffer;
	return { body, etag: `"${await sha256Hex(body, 32)}"` };
}

/** Whether an `If-None-Match` names the tag: a list, `*`, compared weakly (RFC 9110, 8.8.3.2). */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
	if (ifNoneMatch === undefined) return false;
	if (ifNoneMatch.trim() === "*") return true;
	// Our tags are hexadecimal, so a comma or quote inside a foreign tag cannot make it look like ours.
	return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
