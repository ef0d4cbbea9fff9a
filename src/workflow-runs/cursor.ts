import { compareText, NOT_STARTED, type Ordered, startOrderOf } from "#protocol/order.ts";

/** A run's place in the list's order. */
export interface Position {
	/** `workflow_runs.start_order`: the start's timestamp, or `NOT_STARTED`. */
	readonly startOrder: string;
	/** The run's id, lower-case UUID. */
	readonly id: string;
}

const POSITION = /^(~|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** What has this position, as far as the order depends on it. */
export const orderedAt = ({ startOrder, id }: Position): Ordered => ({
	id,
	startedAt: startOrder === NOT_STARTED ? null : startOrder,
});

/** The opaque cursor (base64url, RFC 4648, 5) that leads to the runs behind this one. */
export function encodeCursor(run: Ordered): string {
	return encodeText(`${startOrderOf(run)} ${run.id}`);
}

/** The position that `encodeCursor` encoded; null if the text is not such a cursor. */
export function decodeCursor(cursor: string): Position | null {
	const [, startOrder, id] = POSITION.exec(decodeText(cursor) ?? "") ?? [];
	return startOrder && id ? { startOrder, id } : null;
}

/** Text in ASCII as base64url. */
export const encodeText = (text: string) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** What `encodeText` encoded; null if it is not base64url. */
export function decodeText(encoded: string): string | null {
	try {
		return atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
	} catch {
		return null;
	}
}

/** Whether a run comes after a position in the list's order. */
export function isBehind(run: Ordered, { startOrder, id }: Position): boolean {
	return (compareText(startOrder, startOrderOf(run)) || compareText(id, run.id)) > 0;
}
