import fc from "fast-check";
import { type Report, reportOf } from "../../recording/reports.ts";
import { OWNER, RUNS, WORKFLOWS } from "./world.ts";

/** Any text at all, control characters and halves of surrogate pairs included. */
export const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 40 });

const keys = fc.oneof(
	fc.constantFrom("__proto__", "constructor", "prototype", "toString", "id", "steps", "data", "workflowRuns", "error"),
	anyText,
);

/** JSON that nobody expects: prototype's keys, deep nesting, huge numbers. */
const strangeValue: fc.Arbitrary<unknown> = fc.oneof(
	fc.jsonValue({ maxDepth: 3 }),
	fc.dictionary(keys, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }),
	anyText,
	fc.constantFrom(
		1e308,
		-0,
		2 ** 53,
		1.5,
		"9999-12-31T23:59:59.999Z",
		"2024-02-30T00:00:00Z",
		"-000001-01-01T00:00:00Z",
	),
);

const report = fc.constantFrom(...WORKFLOWS).chain(reportOf);

/** A report in which one thing is something else. */
const spoiltReport = fc
	.record({ report, at: fc.nat(40), value: strangeValue })
	.map(({ report, at, value }) => spoil(report, at, value));

/** Puts a value in the place of the nth key, counted through the whole report. */
function spoil(report: Report, at: number, value: unknown): unknown {
	let left = at;
	return JSON.parse(JSON.stringify(report, (key, kept) => (key !== "" && left-- === 0 ? value : kept)));
}

const anyReport = fc.oneof({ weight: 3, arbitrary: report }, { weight: 2, arbitrary: spoiltReport });

const list = fc
	.array(fc.record({ id: fc.constantFrom(...RUNS), report: anyReport }), { maxLength: 4 })
	.map((reports) => ({ workflowRuns: reports.map(({ id, report }) => ({ id, ...(report as object) })) }));

/** AG-UI events, most of them as they should be. */
const text = (...known: string[]) => fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, strangeValue);
const event = fc.record(
	{
		type: text(
			...[
				"RUN_STARTED",
				"RUN_FINISHED",
				"RUN_ERROR",
				"STEP_STARTED",
				"STEP_FINISHED",
				"TOOL_CALL_START",
				"TOOL_CALL_CHUNK",
			],
			...["TOOL_CALL_RESULT", "SUBAGENT_STARTED", "SUBAGENT_FINISHED", "SUBAGENT_ERROR", "RAW", "toString"],
		),
		threadId: text("t"),
		runId: text("r1", "r2", ...RUNS),
		parentRunId: text("r1"),
		stepName: text("a", "b", "__proto__", "a".repeat(300)),
		subagentRunId: text("s1", "s".repeat(300)),
		name: text("n"),
		message: text("it broke"),
		toolCallId: text("c1", "c2"),
		toolCallName: text("tool"),
		content: strangeValue,
		timestamp: fc.oneof(fc.constantFrom(1707048000000, 1707048000001), strangeValue),
		usage: fc.oneof(fc.constantFrom([{ inputTokens: 1 }]), strangeValue),
		outcome: fc.oneof(fc.constantFrom({ type: "cancelled" }), strangeValue),
		result: strangeValue,
	},
	{
		requiredKeys: [
			"type",
			"runId",
			"threadId",
			"stepName",
			"message",
			"toolCallId",
			"toolCallName",
			"subagentRunId",
			"name",
		],
	},
);
const events = fc.array(event, { maxLength: 8 });

const anyJson = fc.oneof(
	{ weight: 3, arbitrary: events },
	{ weight: 4, arbitrary: anyReport },
	{ weight: 3, arbitrary: list },
	{ weight: 2, arbitrary: fc.constantFrom<object>({ userId: OWNER }, { userId: OWNER, restore: true }) },
	anyText.map((userId) => ({ userId })),
	strangeValue,
	fc.tuple(anyReport, keys).map(([report, key]) => ({ data: { workflowRun: report, [key]: report } })),
);

/** Text that was JSON: with a part cut out, doubled, or something in its place. */
const brokenJson = fc
	.record({
		json: anyJson,
		from: fc.nat(200),
		length: fc.nat(20),
		put: fc.oneof(anyText, fc.constantFrom("1e400", "{", "]")),
	})
	.map(({ json, from, length, put }) => {
		const text = JSON.stringify(json);
		return text.slice(0, from) + put + text.slice(from + length);
	});

/** A request's body, as text or bytes. */
export const anyBody: fc.Arbitrary<string | Uint8Array<ArrayBuffer>> = fc.oneof(
	{ weight: 6, arbitrary: anyJson.map((json) => JSON.stringify(json)) },
	{ weight: 1, arbitrary: events.map((list) => list.map((event) => JSON.stringify(event)).join("\n")) },
	{ weight: 1, arbitrary: events.map((list) => list.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")) },
	{ weight: 2, arbitrary: brokenJson },
	{ weight: 1, arbitrary: anyText },
	{ weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)) },
);
