import { randomUUID } from "node:crypto";
import type { HttpAnswer } from "../lab/ask.ts";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import { Model } from "./model.ts";

/** Behind an erasure a copy at the edge is served no longer than its fresh window; the rest is for timers under load. */
const LATE_MILLISECONDS = 3_000;

/** A user and the cookie of a session. */
export interface User {
	readonly id: string;
	readonly cookie: string;
}

/** A chat, its owner, and what it must hold. */
export class Chat {
	readonly id = randomUUID();
	readonly user: User;
	readonly model = new Model();
	/** How many lives are being reported to it. */
	busy = 0;
	/** No further lives are begun in it: it is about to be erased. */
	isClosing = false;
	/** When its erasure was first asked for, and when it was answered. */
	erasing = Number.POSITIVE_INFINITY;
	erased = Number.POSITIVE_INFINITY;

	constructor(user: User) {
		this.user = user;
	}

	get runsPath(): string {
		return `/api/chats/${this.id}/workflow-runs`;
	}

	/** Whether its erasure had been asked for by now. */
	get isErasing(): boolean {
		return this.erasing <= Date.now();
	}

	/** Whether whoever asked at this moment must not get anything. */
	isGone(askedAt: number): boolean {
		return this.erased + LATE_MILLISECONDS < askedAt;
	}

	/** The answers that a request of this moment may get, by now: those of a chat that is there, or 404. */
	may(askedAt: number, ...there: number[]): number[] {
		if (this.isGone(askedAt)) return [404];
		return this.isErasing ? [...there, 404] : there;
	}
}

export const runsIn = ({ body }: HttpAnswer): WorkflowRun[] => JSON.parse(body.toString()).data.workflowRuns;
