import { Agent } from "node:http";
import { ask } from "../lab/ask.ts";
import { type ChatSize, sizeName } from "../lab/data.ts";
import { ownFunctions, profile } from "./profiler.ts";
import type { Stage } from "./stage.ts";
import { SUBJECTS } from "./subjects.ts";
import { warm } from "./warm.ts";

/** A Worker's own processor time for one request, by V8's profiler in its isolate: the stores are not in it. */
export interface Own {
	readonly subject: string;
	readonly size: string;
	readonly milliseconds: number;
	/** The functions that most of it is spent in, each with its milliseconds a request. */
	readonly functions: readonly { readonly name: string; readonly milliseconds: number }[];
}

export interface OwnPlan {
	readonly sizes: readonly ChatSize[];
	/** How many requests of a small chat are profiled. */
	readonly requests: number;
	/** Subjects; all but the bare ones unless given. */
	readonly subjects?: readonly string[];
}

const WARM_UP_REQUESTS = 200;
/** A chat of 1,000 runs takes ten times as long. */
const FEWEST_REQUESTS = 20;
const MOST_FUNCTIONS = 20;

/** Profiles one subject after the other, one request at a time. */
export async function measureOwn(stage: Stage, { sizes, requests, subjects }: OwnPlan): Promise<Own[]> {
	const agent = new Agent({ keepAlive: true });
	const owns: Own[] = [];
	for (const subject of SUBJECTS.filter(({ name, bundle }) => subjects?.includes(name) ?? bundle !== "hello")) {
		const server = await stage.start(subject, false, true);
		for (const size of sizes) {
			const times = Math.max(Math.min(requests, FEWEST_REQUESTS), Math.round(requests / Math.max(1, size.runs / 100)));
			const { url, headers } = await warm(server, subject, size, stage.cookie);
			const repeat = async (count: number) => {
				for (let i = 0; i < count; i++) await ask(agent, url, headers);
			};
			await repeat(Math.min(WARM_UP_REQUESTS, times));
			const functions = ownFunctions(await profile(server.miniflare, () => repeat(times)));
			owns.push({
				subject: subject.name,
				size: sizeName(size),
				milliseconds: functions.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / times,
				functions: functions
					.slice(0, MOST_FUNCTIONS)
					.map(({ name, milliseconds }) => ({ name, milliseconds: milliseconds / times })),
			});
		}
		await server.dispose();
	}
	agent.destroy();
	return sizes.flatMap((size) => owns.filter((own) => own.size === sizeName(size)));
}

/** A subject's own time; NaN if it was not measured. */
export function ownOf(owns: readonly Own[], subject: string, size: string): number {
	return owns.find((own) => own.subject === subject && own.size === size)?.milliseconds ?? Number.NaN;
}
