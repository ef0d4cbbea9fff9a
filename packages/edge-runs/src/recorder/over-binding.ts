import { Refusal } from "./errors.ts";
import { after } from "./runtime.ts";
import { type Transport, toRecorded } from "./transport.ts";
import type { RecorderBinding } from "./types.ts";

/** `CODE: what is wrong (request ID)`, as the entrypoint throws it: to older Workers an error's `code` gets lost. */
const THROWN = /^([A-Z][A-Z_]+): (.*)$/s;

/** The service binding: the binding is the permission. */
export function overBinding(binding: RecorderBinding, timeoutMilliseconds: number): Transport {
	async function call(answer: PromiseLike<unknown>): Promise<unknown> {
		let cancel = () => {};
		const late = new Promise<never>((_, reject) => {
			const giveUp = () => reject(new Error(`no answer within ${timeoutMilliseconds} ms`));
			cancel = after(timeoutMilliseconds, giveUp);
		});
		try {
			return await Promise.race([answer, late]);
		} catch (thrown) {
			const message = thrown instanceof Error ? thrown.message : String(thrown);
			const [, code, what] = THROWN.exec(message) ?? [];
			throw code === undefined ? thrown : new Refusal(code, what as string);
		} finally {
			cancel();
		}
	}

	return {
		key: binding,
		async registerChat(chatId, userId) {
			dispose(await call(binding.registerChat(chatId, { userId })));
		},
		async record(chatId, parts) {
			const workflowRuns = parts.map(({ report }) => report);
			const answer = await call(binding.recordWorkflowRuns(chatId, { workflowRuns }));
			try {
				return toRecorded(answer);
			} finally {
				dispose(answer);
			}
		},
	};
}

/** What comes by RPC holds resources at the other end until it is disposed of. */
function dispose(answer: unknown): void {
	(answer as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
}
