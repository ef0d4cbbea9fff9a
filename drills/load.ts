import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { lifeOf, pick, scramble } from "../soak/life.ts";
import { Model } from "../soak/model.ts";
import type { WorkflowRun } from "../src/workflow-runs/schemas.ts";
import { type Answer, Loop, runsIn, runsPath, type Service, until } from "./service.ts";

/** A chat, and what must be found in it. */
export interface LoadedChat {
	readonly id: string;
	readonly model: Model;
}

const TRIES = 20;

/** Recorders and readers that go on whatever happens, and compare what they read with what was reported. */
export class Load {
	/** Whom they ask: each request goes to any of these. */
	services: readonly Service[];
	readonly #chats: readonly LoadedChat[];
	readonly #loops: Loop[] = [];
	readonly #statuses = new Map<string, number>();
	#slowest = 0;

	constructor(chats: readonly string[], services: readonly Service[]) {
		this.#chats = chats.map((id) => ({ id, model: new Model() }));
		this.services = services;
	}

	start(recorders: number, readers: number): void {
		for (let i = 0; i < recorders; i++) this.#loops.push(new Loop(() => this.#record(), 5));
		for (let i = 0; i < readers; i++) this.#loops.push(new Loop(() => this.#read(), 5));
	}

	/** Waits for what is under way. @throws what went wrong */
	async stop(): Promise<void> {
		for (const loop of this.#loops.splice(0)) await loop.stop();
	}

	/** What was answered since this was last asked, for people. */
	takeAnswers(): string {
		const answers = [...this.#statuses].sort().map(([answer, count]) => `${answer}: ${count}`);
		const text = `${answers.join(", ")}; the slowest took ${Math.round(this.#slowest)} ms`;
		this.#statuses.clear();
		this.#slowest = 0;
		return text;
	}

	/**
	 * Compares every chat with what was reported of it, as this service has it once no copy is fresh any more.
	 * @returns how many runs that are
	 * @throws what differs
	 */
	async compare(service: Service): Promise<number> {
		let differences: string[] = [];
		const areSame = async () => {
			const found = this.#chats.map(async ({ id, model }) => model.differences(await service.list(id)));
			differences = (await Promise.all(found)).flat().map(({ text }) => text);
			return differences.length === 0;
		};
		await until("every chat holds what was reported of it", areSame).catch((error) => {
			throw new Error(differences.slice(0, 10).join("\n"), { cause: error });
		});
		return this.#chats.reduce((sum, { model }) => sum + model.size, 0);
	}

	async #ask(kind: string, ask: (service: Service) => Promise<Answer>): Promise<Answer> {
		const start = performance.now();
		const answer = await ask(pick(this.services));
		this.#slowest = Math.max(this.#slowest, performance.now() - start);
		const name = `${kind} ${answer.status}`;
		this.#statuses.set(name, (this.#statuses.get(name) ?? 0) + 1);
		return answer;
	}

	/** Reports a run's life, out of order and partly twice. */
	async #record(): Promise<void> {
		const { id, model } = pick(this.#chats);
		for (const run of scramble(lifeOf(id))) {
			model.report(run);
			await this.#report(id, run);
			model.acknowledge(run);
		}
	}

	async #report(chat: string, run: WorkflowRun): Promise<void> {
		for (let tries = 1; ; tries++) {
			const answer = await this.#ask("report", (service) => service.write("PUT", `${runsPath(chat)}/${run.id}`, run));
			if (answer.status < 300) return;
			assert.equal(answer.status, 503, answer.text);
			assert.ok(tries < TRIES, `a report was answered ${tries} times with 503`);
			await sleep(Number(answer.headers.get("retry-after")) * 1_000);
		}
	}

	async #read(): Promise<void> {
		const { id, model } = pick(this.#chats);
		const askedAt = Date.now();
		const answer = await this.#ask("read", (service) => service.read(runsPath(id)));
		assert.equal(answer.status, 200, answer.text);
		assert.deepEqual(model.late(runsIn(answer), askedAt), []);
	}
}
