import type { WorkflowRun } from "../../src/workflow-runs/schemas.ts";
import { type Chat, runsIn } from "../chat.ts";
import { pick } from "../life.ts";
import { askAs, loop, type SoakSetup } from "../setup.ts";

/** Reads the whole list. */
export const reader = (setup: SoakSetup) =>
	loop(setup, async (agent) => {
		const chat = pick(setup.chats);
		const askedAt = Date.now();
		const answer = await askAs(setup, agent, "read", reading(chat, askedAt, 200));
		if (answer.status === 200) setup.tally.complain("read", chat.model.late(runsIn(answer), askedAt));
	});

/** Asks for changes, as a polling tab does. */
export function poller(setup: SoakSetup): Promise<void> {
	let chat = pick(setup.chats);
	let etag = "";
	let runs: WorkflowRun[] = [];
	return loop(setup, async (agent) => {
		const askedAt = Date.now();
		const asked = reading(chat, askedAt, ...(etag ? [200, 304] : [200]));
		const headers = { ...asked.headers, ...(etag && { "if-none-match": etag }) };
		const answer = await askAs(setup, agent, "poll", { ...asked, headers });
		if (answer.status === 200) runs = runsIn(answer);
		etag = answer.headers.etag ?? etag;
		if (answer.status !== 404) return setup.tally.complain("poll", chat.model.late(runs, askedAt));
		chat = pick(setup.chats);
		etag = "";
	});
}

function reading(chat: Chat, askedAt: number, ...there: number[]) {
	return {
		path: chat.runsPath,
		headers: { cookie: chat.user.cookie },
		expected: () => chat.may(askedAt, ...there),
		unexpected: "resurrected",
	} as const;
}

/** Asks for a chat that it must not get: with another user's session, or with a forged cookie. */
export const stranger = (setup: SoakSetup) =>
	loop(setup, async (agent) => {
		const [mine, other] = [pick(setup.chats), pick(setup.chats)];
		const { cookie } = mine.user;
		const theirs = { path: other.runsPath, unexpected: "wrong" } as const;
		const askedAt = Date.now();
		if (mine.user.id !== other.user.id)
			await askAs(setup, agent, "stranger", {
				...theirs,
				headers: { cookie },
				expected: () => other.may(askedAt, 403),
			});
		const forged = { cookie: `${cookie.slice(0, -8)}AAAAA%3D` };
		await askAs(setup, agent, "stranger", { ...theirs, headers: forged, expected: () => [401] });
	});
