import type { Line } from "./lines.ts";

/** A line's run, ready to be reported. */
export interface Entry {
	readonly line: number;
	/** As it stands in the line, in lower case. */
	readonly chatId: string;
	readonly userId: string;
	/** The run as JSON. */
	readonly json: string;
	/** In UTF-8. */
	readonly bytes: number;
}

/** A line without a run: the chat alone. */
export interface ChatEntry {
	readonly line: number;
	/** In lower case. */
	readonly chatId: string;
	readonly userId: string;
	/** Whether it is to be deleted, once the lines before are in. */
	readonly isDeleted: boolean;
}

/** A line that says where an export goes on behind it; null: that was all. */
export interface ExportMark {
	readonly nextCursor: string | null;
}

/** A line that is not recorded, and why. */
export interface Refusal {
	readonly line: number;
	readonly reason: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The fields of a line without a run. */
const CHAT_FIELDS = ["chatId", "userId", "deletedAt"];

/**
 * Reads a line: a run as the list returns it, with its owner's `userId` beside, or `{ chatId, userId, run }`. Or a line of
 * an export of a user that has no run: `{ chatId, userId, deletedAt? }`, or `{ nextCursor }`.
 * Does not check the run itself: the service does.
 * @returns null if the line is blank
 */
export function parseLine({ number: line, text }: Line): Entry | ChatEntry | ExportMark | Refusal | null {
	if (text === null) return { line, reason: "is longer than a request may be, or not UTF-8" };
	if (text.trim() === "") return null;
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		return { line, reason: `is not JSON: ${(error as Error).message}` };
	}
	if (!isObject(value)) return { line, reason: "is not a JSON object" };
	if (Object.keys(value).join() === "nextCursor")
		return { nextCursor: typeof value["nextCursor"] === "string" ? value["nextCursor"] : null };
	const { userId, ...fields } = value;
	const run = isObject(fields["run"]) ? fields["run"] : fields;
	const chatId = String(fields["chatId"] ?? run["chatId"] ?? "").toLowerCase();
	if (!UUID.test(chatId)) return { line, reason: "chatId: is not a UUID" };
	if (typeof userId !== "string") return { line, reason: "userId: is not text" };
	if (Object.keys(value).every((field) => CHAT_FIELDS.includes(field)))
		return { line, chatId, userId, isDeleted: typeof value["deletedAt"] === "string" };
	const json = JSON.stringify(run);
	return { line, chatId, userId, json, bytes: Buffer.byteLength(json) };
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
