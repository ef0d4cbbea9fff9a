import { follow } from "./follow.ts";
import type { FollowOptions, WorkflowRunsFollower } from "./follower.ts";
import type { Connect } from "./line.ts";
import { runsPath, type Send, type ServiceOptions } from "./service.ts";

/**
 * Follows chats by a service's `send`.
 * @param options those that `send` was made with
 */
export function followBy(send: Send, { token }: ServiceOptions) {
	return (chatId: string, options?: FollowOptions): WorkflowRunsFollower => {
		const path = `${runsPath(chatId)}/stream`;
		const connect: Connect = (lastEventId, signal) =>
			send(path, { signal, ...(lastEventId !== undefined && { headers: { "last-event-id": lastEventId } }) });
		return follow(connect, options, { isTokenRenewed: typeof token === "function" });
	};
}
