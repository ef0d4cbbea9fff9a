import { Refusal, type Tell } from "./errors.ts";
import { isOlder, NAMES_UNKNOWN_FIELDS, rememberOlder, toOlder } from "./older-service.ts";
import { type Part, partOf } from "./pack.ts";
import type { Recorded, Transport } from "./transport.ts";

/** Refusals of whatever is reported of a chat. */
const OF_THE_CHAT = new Set<string | null>(["CHAT_NOT_FOUND", "CHAT_DELETED", "INVALID_CHAT_ID", "CHAT_CONFLICT"]);

const isOfARun = (error: unknown): error is Refusal =>
	error instanceof Refusal && !error.mayPass && !OF_THE_CHAT.has(error.code);

/** An answer that names a step says that the rest of its run may pass. */
const NAMES_A_STEP = /\bsteps\.\d/;

export interface Delivery {
	readonly transport: Transport;
	readonly chatId: string;
	readonly tell: Tell;
	/** A part is sent, or dropped because it never can be. */
	readonly onDone: (part: Part) => void;
	readonly onRecorded: (recorded: Recorded) => void;
}

/**
 * Sends parts in one request. Where the service refuses it for one of them, the halves are sent, and so on: what is bad
 * is dropped and told, and takes nothing else with it.
 * @throws what may pass: not all parts are done then
 */
export async function deliver(parts: readonly Part[], delivery: Delivery): Promise<void> {
	const { transport, chatId, tell, onDone, onRecorded } = delivery;
	const older = isOlder(transport.key, Date.now());
	try {
		const recorded = await transport.record(chatId, older ? parts.map(toOlderPart) : parts);
		parts.forEach(onDone);
		onRecorded(recorded);
	} catch (error) {
		if (!isOfARun(error)) throw error;
		if (!older && error.code === "INVALID_BODY" && NAMES_UNKNOWN_FIELDS.test(error.message)) {
			rememberOlder(transport.key, Date.now());
			tell("warning", `the service is of an older version, and records less: ${error.message}`, { chatId });
			return deliver(parts, delivery);
		}
		if (parts.length > 1) {
			const half = Math.ceil(parts.length / 2);
			await deliver(parts.slice(0, half), delivery);
			return deliver(parts.slice(half), delivery);
		}
		const [part] = parts as [Part];
		const smaller = NAMES_A_STEP.test(error.message) ? splitSteps(part) : undefined;
		if (smaller) await deliverSteps(smaller, part, error, delivery);
		else refuse(part, error, delivery);
	}
}

const toOlderPart = (part: Part): Part => partOf(part.of, toOlder(part.report));

function refuse(part: Part, error: Refusal, { chatId, tell, onDone }: Delivery): void {
	const what = `run ${part.of.id} is refused: ${error.code}: ${error.message}`;
	tell("refused", what, { code: error.code ?? undefined, chatId, runIds: [part.of.id], cause: error });
	onDone(part);
}

/** The halves of a part's steps, or the run without its one step. */
function splitSteps({ of, report }: Part): Part[] | undefined {
	const { steps = [], ...head } = report;
	if (steps.length === 0) return undefined;
	const half = Math.floor(steps.length / 2);
	const groups = half === 0 ? [[]] : [steps.slice(0, half), steps.slice(half)];
	return groups.map((group) => partOf(of, { ...head, steps: group }));
}

async function deliverSteps(smaller: Part[], part: Part, error: Refusal, delivery: Delivery): Promise<void> {
	const [step] = part.report.steps ?? [];
	if (smaller.length === 1) {
		const what = `step ${step?.id} of run ${part.of.id} is refused: ${error.message}`;
		delivery.tell("warning", what, {
			code: "INVALID_BODY",
			chatId: delivery.chatId,
			runIds: [part.of.id],
			cause: error,
		});
	}
	// The part is done when the smaller ones are, whatever comes of them.
	for (const each of smaller) await deliver([each], { ...delivery, onDone: () => {} });
	delivery.onDone(part);
}
