/**
 * `npm run bench:recorder`: what a report costs the workflow that makes it, in microseconds. Nothing is sent: this is the
 * caller's part, not the service's.
 */
import { createRecorder, type RunReport } from "../packages/edge-runs/src/recorder/index.ts";
import { command } from "../scripts/command-line.ts";

const REPORTS = 20_000;
const WARM_UP = 2_000;

const at = "2024-02-04T12:00:00.000Z";
const chatId = crypto.randomUUID();
const workflowId = crypto.randomUUID();
const runIds = Array.from({ length: REPORTS + WARM_UP }, () => crypto.randomUUID());
const output = { text: "x".repeat(8_000), list: Array.from({ length: 300 }, (_, index) => index) };
const hugeOutput = Array.from({ length: 200_000 }, (_, index) => ({ index }));

type Run = RunReport["run"];
const step = (index: number, more: object) => ({
	id: `step-${index}`,
	status: "completed" as const,
	completedAt: at,
	...more,
});
const run = (more: object): Run => ({ id: runIds[0] as string, workflowId, status: "running", startedAt: at, ...more });

/** What a live run says, one after the other: no two reports look the same. */
const DIFFERENT: object[] = [
	{ activity: { at, message: "Writing", progress: 0.5 } },
	{ metrics: { tokens: 1200, cost: 0.02 } },
	{ steps: [step(1, { name: "Fetch sources", position: 1, output: { sources: 12 } })] },
	{ steps: [step(2, { attempt: 2, error: { message: "no answer within 30 s" }, parentId: "step-1" })] },
	{ workflowName: "Answer", externalId: "job-1", messageId: "m-1", attempt: 2 },
];

const cases: [string, (nth: number) => RunReport][] = [
	["a run's first report", (nth) => ({ chatId, run: run({ id: runIds[nth] }) })],
	["a step of a run of 30", (nth) => ({ chatId, run: run({ steps: [step(nth % 30, {})] }) })],
	["a step of a run of 1,000", (nth) => ({ chatId, run: run({ steps: [step(nth % 1_000, {})] }) })],
	["all that a run can say, in turn", (nth) => ({ chatId, run: run(DIFFERENT[nth % DIFFERENT.length] as object) })],
	[
		"the same, of a chat whose id is no UUID",
		(nth) => ({ chatId: "thread 1", run: run(DIFFERENT[nth % 5] as object) }),
	],
	["a step with an output of 9 KB", (nth) => ({ chatId, run: run({ steps: [step(nth % 30, { output })] }) })],
	[
		"a step with one of 2 MB, which is left out",
		() => ({ chatId, run: run({ steps: [step(3, { output: hugeOutput })] }) }),
	],
];

/** The p-th part of sorted times in milliseconds, in microseconds. */
const quantile = (times: Float64Array, p: number) =>
	((times[Math.floor(times.length * p)] as number) * 1_000).toFixed(1);

const HELP = `Measures what a report costs the workflow that makes it, in microseconds. Nothing is sent:

  npm run bench:recorder

  --help    says this`;

await command(HELP, {}, () => {
	console.log("microseconds a report              p50      p99");
	for (const [name, reportOf] of cases) {
		const recorder = createRecorder({
			url: "http://localhost",
			token: "none",
			fetch: () => new Promise<never>(() => {}),
			delayMilliseconds: 3_600_000,
			maxWaitingBytes: Number.POSITIVE_INFINITY,
			onError: () => {},
		});
		const times = new Float64Array(REPORTS);
		for (let nth = 0; nth < WARM_UP + REPORTS; nth++) {
			const report = reportOf(nth);
			const start = performance.now();
			recorder.report(report);
			if (nth >= WARM_UP) times[nth - WARM_UP] = performance.now() - start;
		}
		times.sort();
		console.log(`${name.padEnd(44)}${quantile(times, 0.5).padStart(5)}${quantile(times, 0.99).padStart(9)}`);
	}
	// The recorders have no service to send to, and would go on trying.
	process.exit();
});
