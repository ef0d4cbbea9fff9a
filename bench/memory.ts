import { usageOf } from "../lab/process.ts";
import type { Server } from "../lab/server.ts";
import type { Subject } from "./subjects.ts";

/** A subject's workerd over the whole run. */
export interface Memory {
	readonly subject: string;
	readonly startMegabytes: number;
	readonly peakMegabytes: number;
	readonly endMegabytes: number;
	readonly requests: number;
}

/** Keeps account of each server's resident memory. */
export class MemoryLog {
	readonly #accounts: { subject: Subject; pid: number | null; megabytes: number[]; requests: number }[];

	constructor(servers: ReadonlyMap<Subject, Server>) {
		this.#accounts = [...servers].map(([subject, { pid }]) => ({
			subject,
			pid,
			megabytes: megabytes(pid),
			requests: 0,
		}));
	}

	/** To be called when a subject has answered that many requests more. */
	add(subject: Subject, requests: number): void {
		const account = this.#accounts.find((each) => each.subject === subject);
		if (!account) return;
		account.requests += requests;
		account.megabytes.push(...megabytes(account.pid));
	}

	/** Of those of which anything is known: none, without /proc. */
	read(): Memory[] {
		return this.#accounts.flatMap(({ subject: { name }, megabytes, requests }) => {
			const [start, end] = [megabytes[0], megabytes.at(-1)];
			if (start === undefined || end === undefined) return [];
			const peakMegabytes = Math.max(...megabytes);
			return [{ subject: name, startMegabytes: start, peakMegabytes, endMegabytes: end, requests }];
		});
	}
}

function megabytes(pid: number | null): number[] {
	const usage = usageOf(pid);
	return usage ? [usage.residentMegabytes] : [];
}
