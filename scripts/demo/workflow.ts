import type { JsonValue, WorkflowRunActivity } from "#protocol/types.ts";

/** The workflow that the demo plays: it shows what a run and its steps can say. */
export const WORKFLOW = "c2d29867-3d0b-4497-9191-18a9d8ee7830";
export const WORKFLOW_NAME = "Answer a question";

export interface Step {
	readonly id: string;
	readonly name: string;
	/** The ids of the steps that it waits for. */
	readonly after: readonly string[];
	/** The step that it is part of. */
	readonly parentId?: string;
	/** About how long it takes. */
	readonly milliseconds: number;
	/** What it says while it works, one after the other. */
	readonly activities: readonly Omit<WorkflowRunActivity, "at">[];
	/** Whether its first attempt fails. */
	readonly retried?: boolean;
	readonly output: JsonValue;
	readonly tokens: number;
}

const READING = { activities: [], output: { language: "en", questions: 2 }, tokens: 210 };
const pages = (count: number) => [0, 1, 2].map((i) => ({ message: `Page ${i + 1} of ${count}`, progress: i / count }));

/** The searches run side by side, and so do the two parts of the first one. */
export const STEPS: readonly Step[] = [
	{ id: "read", name: "Read the question", after: [], milliseconds: 1_500, ...READING },
	{
		id: "search-web",
		name: "Search the web",
		after: ["read"],
		milliseconds: 4_000,
		activities: pages(3),
		output: ["https://example.com/a", "https://example.com/b"],
		tokens: 0,
	},
	{
		id: "search-web/news",
		name: "News",
		after: ["read"],
		parentId: "search-web",
		milliseconds: 2_000,
		activities: [],
		output: 4,
		tokens: 0,
	},
	{
		id: "search-documents",
		name: "Search the documents",
		after: ["read"],
		milliseconds: 2_500,
		activities: [],
		retried: true,
		output: 7,
		tokens: 0,
	},
	{
		id: "write",
		name: "Write the answer",
		after: ["search-web", "search-web/news", "search-documents"],
		milliseconds: 3_500,
		activities: [0, 1, 2].map((i) => ({ message: `Paragraph ${i + 1} of 3`, progress: i / 3 })),
		output: "A draft of 3 paragraphs",
		tokens: 1_840,
	},
	{
		id: "check",
		name: "Check the answer",
		after: ["write"],
		milliseconds: 2_000,
		activities: [{ message: "Waits for somebody to read it", waiting: true }],
		output: true,
		tokens: 320,
	},
];

/** Why the first attempt of a step fails. */
export const RETRY = "The index was busy";

export const OUTPUT: JsonValue = { answer: "42", sources: 2 };
