import { setTimeout as sleep } from "node:timers/promises";
import type { Chat } from "../chat.ts";
import { pick } from "../life.ts";
import type { SoakSetup } from "../setup.ts";
import { Follower } from "../stream.ts";

const LOOK_MILLISECONDS = 200;

/** A tab that follows one chat after the other, each until it is erased. */
export interface Watcher {
	/** What it is following. */
	readonly follower: Follower;
	close(): Promise<void>;
}

/** @param drops whether it lets go of its stream now and then */
export function watcher(setup: SoakSetup, first: Chat, drops: boolean): Watcher {
	let follower = new Follower(setup, first);
	let isClosed = false;
	const watching = (async () => {
		for (;;) {
			await follower.follow(drops);
			if (isClosed) return;
			await sleep(LOOK_MILLISECONDS);
			follower = new Follower(setup, pick(setup.chats));
		}
	})();
	return {
		get follower() {
			return follower;
		},
		close() {
			isClosed = true;
			follower.close();
			return watching;
		},
	};
}
