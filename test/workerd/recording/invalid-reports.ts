const step = (more: Record<string, unknown> = {}) => ({ id: "step-1", status: "pending", ...more });

export const manySteps = (count: number, from = 0) =>
	Array.from({ length: count }, (_, i) => step({ id: `new-${from + i}` }));

/** What is wrong, what a valid report is changed by, and what the refusal says: the field, and why. */
type Invalid = [wrong: string, change: Record<string, unknown>, field: string, why: RegExp];

/** What is refused of a report by its own, however it is sent. */
export const INVALID_REPORTS: Invalid[] = [
	["no status", { status: undefined }, "status", /./],
	["an unknown status", { status: "done" }, "status", /.*"pending"/],
	["a status in capitals", { status: "COMPLETED" }, "status", /./],
	["a status of the wrong type", { status: 2 }, "status", /./],
	["a workflowId that is none", { workflowId: "workflow-uuid-1" }, "workflowId", /./],
	["a workflowId of null", { workflowId: null }, "workflowId", /./],
	["an unknown field", { retries: 3 }, "", /retries/],
	["an end that is missing", { completedAt: null }, "completedAt", /is required with status completed/],
	["a failure without an end", { status: "failed", completedAt: undefined }, "completedAt", /is required/],
	["a cancellation without an end", { status: "cancelled", completedAt: null }, "completedAt", /is required/],
	[
		"an end before the start",
		{ completedAt: "2024-02-04T11:59:59.999Z" },
		"completedAt",
		/must not be before startedAt/,
	],
	["an end before the start, by its zone", { completedAt: "2024-02-04T12:01:30+01:00" }, "completedAt", /must not be/],
	["an end of a run that runs", { status: "running" }, "completedAt", /must be null with status running/],
	["an end of a run that waits", { status: "pending" }, "completedAt", /must be null with status pending/],
	["a date without a time", { startedAt: "2024-02-04" }, "startedAt", /must be an ISO 8601/],
	["a time without a zone", { startedAt: "2024-02-04T12:00:00.000" }, "startedAt", /must be an ISO 8601/],
	["a day that does not exist", { startedAt: "2024-02-30T12:00:00Z" }, "startedAt", /./],
	["a time as a number", { completedAt: 1707048000000 }, "completedAt", /./],
	[
		"a year beyond 9999, by its zone",
		{ completedAt: "9999-12-31T23:59:59-01:00" },
		"completedAt",
		/must lie in the years/,
	],
	["a year before 0000, by its zone", { startedAt: "0000-01-01T00:00:00+01:00" }, "startedAt", /must lie in the years/],
	["an error that is text", { status: "failed", error: "no answer" }, "error", /./],
	["an error without a message", { status: "failed", error: {} }, "error.message", /./],
	["an error with more than a message", { error: { message: "m", stack: "s" } }, "error", /.*stack/],
	["an error of 4,001 characters", { error: { message: "m".repeat(4_001) } }, "error.message", /.*4000/],
	["steps that are no list", { steps: { "step-1": step() } }, "steps", /./],
	["1,001 steps", { steps: manySteps(1_001) }, "steps", /.*1000/],
	[
		"two steps of one id",
		{ steps: [step(), step({ id: "step-2" }), step()] },
		"steps.2.id",
		/is another step's id too/,
	],
	["a step without an id", { steps: [step({ id: undefined })] }, "steps.0.id", /./],
	["a step of no name at all", { steps: [step({ id: "" })] }, "steps.0.id", /./],
	["a step id of 201 characters", { steps: [step({ id: "i".repeat(201) })] }, "steps.0.id", /.*200/],
	["a step name of 201 characters", { steps: [step({ name: "n".repeat(201) })] }, "steps.0.name", /.*200/],
	[
		"a step error of 4,001 characters",
		{ steps: [step({ error: { message: "m".repeat(4_001) } })] },
		"steps.0.error.message",
		/.*4000/,
	],
	["a step's unknown status", { steps: [step(), step({ id: "b", status: "skipped" })] }, "steps.1.status", /./],
	["a step that ended, when?", { steps: [step({ status: "completed" })] }, "steps.0.completedAt", /is required/],
	[
		"a step's end before its start",
		{
			steps: [step({ status: "failed", startedAt: "2024-02-04T12:00:01Z", completedAt: "2024-02-04T12:00:00Z" })],
		},
		"steps.0.completedAt",
		/must not be/,
	],
	["a position of half", { steps: [step({ position: 0.5 })] }, "steps.0.position", /./],
	["a position below 0", { steps: [step({ position: -1 })] }, "steps.0.position", /./],
	["a position beyond exact integers", { steps: [step({ position: 2 ** 53 })] }, "steps.0.position", /./],
	["a step's unknown field", { steps: [step({ output: "secret" })] }, "steps.0", /.*output/],
];
