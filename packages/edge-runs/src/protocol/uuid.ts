import { sha1 } from "./sha1.ts";

/**
 * The namespace of every UUID that is made from another system's id (RFC 9562, 5.5). It is published in
 * docs/recording.md and must never change: every language, place and version must make the same UUID of an id.
 */
export const ID_NAMESPACE = "cdd6ed59-1623-4ba6-8c85-fef0228a9c62";

/** RFC 9562: versions 1 to 8 of its variant, nil and max, in lower case. */
const UUID =
	/^(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$/;

/** Whether a text is an RFC 9562 UUID in lower case, as the service takes ids. */
export const isUuid = (text: string): boolean => UUID.test(text);

/**
 * The UUID that stands for another system's id: UUIDv5 (RFC 9562, 5.5) of `ID_NAMESPACE` and `engine:id` in UTF-8.
 * The same everywhere and always. A UUID comes back as it is, in lower case.
 * @param engine the system that the id comes from, e.g. `"inngest"`; `"chat"` for a chat, `"workflow"` for a workflow's name
 */
export function uuidFor(engine: string, id: string): string {
	const lower = id.toLowerCase();
	return isUuid(lower) ? lower : uuidV5(`${engine}:${id}`);
}

/** UUIDv5 of `ID_NAMESPACE` and a name. */
function uuidV5(name: string): string {
	const encoded = new TextEncoder().encode(name);
	const message = new Uint8Array(NAMESPACE_BYTES.length + encoded.length);
	message.set(NAMESPACE_BYTES);
	message.set(encoded, NAMESPACE_BYTES.length);
	const bytes = sha1(message);
	bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
	let text = "";
	for (let index = 0; index < 16; index++) {
		if (index === 4 || index === 6 || index === 8 || index === 10) text += "-";
		text += (bytes[index] as number).toString(16).padStart(2, "0");
	}
	return text;
}

const NAMESPACE_BYTES = Uint8Array.from(ID_NAMESPACE.replaceAll("-", "").match(/../g) ?? [], (byte) =>
	Number.parseInt(byte, 16),
);
