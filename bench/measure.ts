import type { Ask } from "../lab/ask.ts";
import { type ChatSize, sizeName } from "../lab/data.ts";
import { usageOf } from "../lab/process.ts";
import type { Server } from "../lab/server.ts";
import { median, quantile } from "../lab/statistics.ts";
import { load, solo } from "./load.ts";
import { type Memory, MemoryLog } from "./memory.ts";
import type { Stage } from "./stage.ts";
import { SUBJECTS, type Subject } from "./subjects.ts";
import { warm } from "./warm.ts";

export interface Plan {
	readonly rounds: number;
	/** How long each subject is under load, in each round. */
	readonly stretchMilliseconds: number;
	readonly connections: number;
}

/** One subject under one size of chat: medians over the rounds. */
export interface Row {
	readonly subject: string;
	readonly size: string;
	readonly requestsPerSecond: number;
	readonly p50Milliseconds: number;
	readonly p99Milliseconds: number;
	/** The time to the answer of a request that is alone. */
	readonly soloMilliseconds: number;
	/** workerd's processor time a request, or null where it cannot be told. */
	readonly cpuMilliseconds: number | null;
	readonly bytes: number;
	/** Requests a second over the peer's, of the same round. */
	readonly toTutorial: number;
	readonly toFloor: number;
	/** The peer's time to a lone answer over this one's, of the same round. */
	readonly soloToTutorial: number;
}

type Sample = Omit<Row, "subject" | "size" | "toTutorial" | "toFloor" | "soloToTutorial"> & {
	readonly requests: number;
};

/** Runs all subjects in turn, round after round, so that a machine that slows down slows them all. */
export async function measure(stage: Stage, plan: Plan): Promise<{ rows: Row[]; memory: Memory[] }> {
	const servers = new Map<Subject, Server>();
	for (const subject of SUBJECTS) servers.set(subject, await stage.start(subject));
	const memory = new MemoryLog(servers);
	const rows: Row[] = [];
	for (const [i, size] of stage.sizes.entries()) {
		// What answers the same to all is measured once.
		const measured = [...servers].filter(([{ bundle }]) => bundle !== "hello" || i === 0);
		const samples = new Map<Subject, Sample[]>(measured.map(([subject]) => [subject, []]));
		// The first round warms the code up, and is not counted.
		for (let round = 0; round <= plan.rounds; round++) {
			for (const [subject, server] of measured) {
				const asked = await warm(server, subject, size, stage.cookie);
				const sample = await takeSample(asked, server, plan);
				if (round > 0) samples.get(subject)?.push(sample);
				memory.add(subject, sample.requests);
			}
		}
		rows.push(...toRows(size, samples));
	}
	return { rows, memory: memory.read() };
}

async function takeSample(asked: Ask, server: Server, plan: Plan): Promise<Sample> {
	const before = usageOf(server.pid);
	const { rate, latencies } = await load(asked, plan.connections, plan.stretchMilliseconds);
	const after = usageOf(server.pid);
	return {
		requestsPerSecond: rate,
		p50Milliseconds: quantile(latencies, 0.5),
		p99Milliseconds: quantile(latencies, 0.99),
		soloMilliseconds: median(await solo(asked, plan.stretchMilliseconds / 4)),
		cpuMilliseconds: before && after ? (after.cpuMilliseconds - before.cpuMilliseconds) / latencies.length : null,
		bytes: asked.bytes,
		requests: latencies.length,
	};
}

function toRows(size: ChatSize, samples: Map<Subject, Sample[]>): Row[] {
	const of = (name: string) => samples.get(SUBJECTS.find((subject) => subject.name === name) as Subject) as Sample[];
	const [floor, tutorial] = [of("floor"), of("tutorial")];
	return [...samples].map(([{ name }, own]) => {
		const mid = (value: (sample: Sample, round: number) => number) => median(own.map(value));
		return {
			subject: name,
			size: sizeName(size),
			requestsPerSecond: mid((sample) => sample.requestsPerSecond),
			p50Milliseconds: mid((sample) => sample.p50Milliseconds),
			p99Milliseconds: mid((sample) => sample.p99Milliseconds),
			soloMilliseconds: mid((sample) => sample.soloMilliseconds),
			cpuMilliseconds: own[0]?.cpuMilliseconds === null ? null : mid((sample) => sample.cpuMilliseconds ?? 0),
			bytes: mid((sample) => sample.bytes),
			toTutorial: mid((sample, round) => sample.requestsPerSecond / (tutorial[round] as Sample).requestsPerSecond),
			toFloor: mid((sample, round) => sample.requestsPerSecond / (floor[round] as Sample).requestsPerSecond),
			soloToTutorial: mid((sample, round) => (tutorial[round] as Sample).soloMilliseconds / sample.soloMilliseconds),
		};
	});
}
