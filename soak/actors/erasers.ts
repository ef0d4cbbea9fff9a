import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Chat, runsIn } from "../chat.ts";
import { lifeOf, pick } from "../life.ts";
import { askAs, loop, operating, recording, type SoakSetup } from "../setup.ts";

/** How long lives that were begun in a chat are waited for. */
const QUIET_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 50;
/** A run that came of age so long ago has been pruned, as a rule. */
const PRUNED_MILLISECONDS = 5_000;

/** Registers a new chat. */
export async function register(setup: SoakSetup, agent: Agent, chat: Chat): Promise<Chat> {
	const body = JSON.stringify({ userId: chat.user.id });
	const asked = { path: `/api/chats/${chat.id}`, headers: recording, method: "PUT", body };
	// 200: it was killed between the write and its answer, and asked again.
	await askAs(setup, agent, "register", { ...asked, expected: () => [201, 200] });
	return chat;
}

/**
 * Erases the fullest chat, or all that its user has, and puts a new one in its place. Half of the time it waits until
 * nothing more is reported, and compares the chat with all reports of it; half of the time reports are on their way.
 */
export const eraser = (setup: SoakSetup, everyMilliseconds: number) =>
	loop(setup, async (agent) => {
		await sleep(everyMilliseconds);
		const chatsOf = ({ user }: Chat) => setup.chats.filter((chat) => chat.user.id === user.id);
		const untouched = setup.chats.filter((chat) => chatsOf(chat).every(({ isClosing }) => !isClosing));
		const [fullest] = untouched.toSorted((a, b) => b.model.size - a.model.size);
		if (!fullest) return;
		const isWholeUser = Math.random() < 0.5;
		const erased = isWholeUser ? chatsOf(fullest) : [fullest];
		// So that other erasers leave them and their user alone.
		for (const chat of erased) chat.isClosing = true;
		if (Math.random() < 0.5) for (const chat of erased) await compareQuietly(setup, agent, chat);
		for (const chat of erased) chat.erasing = Date.now();
		const path = isWholeUser ? `/api/users/${fullest.user.id}` : `/api/chats/${fullest.id}?erase=true`;
		const erase = { path, headers: operating, method: "DELETE", expected: () => [200, 202] };
		while ((await askAs(setup, agent, "erase", erase)).status === 202) setup.tally.note("erasures in batches");
		for (const chat of erased) chat.erased = Date.now();
		setup.tally.note(isWholeUser ? "users erased" : "chats erased");
		setup.graves.push(...erased);
		const user = isWholeUser ? await setup.signIn() : fullest.user;
		for (const chat of erased)
			setup.chats.splice(setup.chats.indexOf(chat), 1, await register(setup, agent, new Chat(user)));
	});

/** Waits until nothing more is reported to a chat, and compares it with all reports of it. */
async function compareQuietly(setup: SoakSetup, agent: Agent, chat: Chat): Promise<void> {
	const until = Date.now() + QUIET_MILLISECONDS;
	while (chat.busy > 0 && Date.now() < until) await sleep(LOOK_MILLISECONDS);
	if (chat.busy === 0) await compare(setup, agent, chat);
}

/** Compares a chat to which nothing is reported with all reports of it. */
export async function compare(setup: SoakSetup, agent: Agent, chat: Chat): Promise<void> {
	// Behind the fresh window.
	await sleep(1_100);
	const asked = { path: chat.runsPath, headers: { cookie: chat.user.cookie }, expected: () => [200] };
	const answer = await askAs(setup, agent, "compare", asked);
	if (answer.status !== 200) return;
	setup.tally.complain("compare", chat.model.differences(runsIn(answer)));
	setup.tally.note("runs compared", chat.model.size);
}

/** A queue that comes again: tells erased chats of runs, and reports runs that were pruned. */
export const redriver = (setup: SoakSetup) =>
	loop(setup, async (agent) => {
		const grave = pick(setup.graves);
		if (grave?.isGone(Date.now())) {
			const dead = { unexpected: "resurrected", expected: () => [404] } as const;
			const cookie = { cookie: grave.user.cookie };
			await askAs(setup, agent, "erased", { ...dead, path: grave.runsPath, headers: cookie });
			await askAs(setup, agent, "erased", { ...dead, path: `${grave.runsPath}/stream`, headers: cookie });
			const body = JSON.stringify({ workflowRuns: [pick(lifeOf(grave.id))] });
			await askAs(setup, agent, "erased", { ...dead, path: grave.runsPath, headers: recording, method: "PATCH", body });
			const again = {
				path: `/api/chats/${grave.id}`,
				headers: recording,
				method: "PUT",
				unexpected: "resurrected",
			} as const;
			const owner = JSON.stringify({ userId: grave.user.id, restore: true });
			await askAs(setup, agent, "erased", { ...again, body: owner, expected: () => [409] });
		}
		const old = pick(
			setup.past.filter(({ age, chat }) => age.to + PRUNED_MILLISECONDS < Date.now() && !chat.isErasing),
		);
		if (!old) return;
		const askedAt = Date.now();
		const asked = { path: old.chat.runsPath, headers: recording, method: "PATCH", body: old.body };
		await askAs(setup, agent, "redriven", { ...asked, expected: () => old.chat.may(askedAt, 200, 201) });
	});
