import { setTimeout as sleep } from "node:timers/promises";
import type { SoakSetup } from "../setup.ts";

/** Longer ago than `GIVE_UP_HOURS`. */
const SILENT_MILLISECONDS = 2 * 3_600_000;

/** Lets the cron come, hourly on Cloudflare, every few seconds. */
export async function clock(setup: SoakSetup, everyMilliseconds: number): Promise<void> {
	while (!setup.isOver()) {
		await sleep(everyMilliseconds);
		await round(setup);
	}
}

/**
 * A round of the cron. Before it, the runs whose engine is silent are heard of two hours ago: an hour cannot be waited for, so
 * the row that says when is older than it is.
 */
export async function round({ service, chats, tally }: SoakSetup): Promise<void> {
	const silent = chats.filter(({ isErasing }) => !isErasing).map(({ model }) => ({ model, ids: model.silent() }));
	const heardAt = new Date(Date.now() - SILENT_MILLISECONDS).toISOString();
	const all = JSON.stringify(silent.flatMap(({ ids }) => ids));
	await service.sql("update workflow_runs set heard_at = ? where id in (select value from json_each(?))", heardAt, all);
	const at = new Date();
	const { restarts } = service;
	try {
		await service.cron(at);
	} catch (error) {
		// Killed in the middle of it. The next round does the rest.
		if (restarts === service.restarts) tally.complain("cron", [{ fault: "refused", text: String(error) }]);
		return;
	}
	tally.note("rounds of the cron");
	for (const { model, ids } of silent) {
		model.giveUp(ids);
		tally.note("runs given up", ids.length);
	}
	for (const { model } of chats) tally.note("runs pruned", model.prune(at.getTime()));
}
