import { sha256Hex } from "../digest.ts";

/** Pseudonyms by secret and user id, so that a user who polls does not cost a digest each time. */
const pseudonyms = new Map<string, string>();
const MAX_PSEUDONYMS = 1_000;

/** A user's name in the log, which does not tell the user: half a digest, salted with the secret. */
export async function pseudonym(secret: string, userId: string): Promise<string> {
	const salted = `${secret}:${userId}`;
	let name = pseudonyms.get(salted);
	if (name === undefined) {
		name = await sha256Hex(new TextEncoder().encode(salted), 16);
		if (pseudonyms.size >= MAX_PSEUDONYMS) pseudonyms.clear();
		pseudonyms.set(salted, name);
	}
	return name;
}
