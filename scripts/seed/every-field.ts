import { at, type Run, run } from "./rows.ts";

const PARENT = "0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e08";

const MILLISECONDS_A_DAY = 86_400_000;

/** The same time on an earlier day. */
const ago = (days: number, time: string) => new Date(Date.parse(at(time)) - days * MILLISECONDS_A_DAY).toISOString();

/** Runs of an agent, which together show every field of a run and of a step. */
export function runsOfEveryField(chatId: string): Run[] {
	return [
		run(
			PARENT,
			chatId,
			{ status: "running", startedAt: at("09:28:00") },
			[
				{
					id: "plan",
					status: "completed",
					startedAt: at("09:28:00"),
					completedAt: at("09:28:04"),
					output: { questions: ["What changed?", "Who is affected?"] },
					metrics: { tokens: 412 },
					name: "Plan",
					position: 1,
				},
				{
					id: "research",
					status: "completed",
					startedAt: at("09:28:04"),
					completedAt: at("09:29:10"),
					output: "12 sources, 3 of them new",
					attempt: 2,
					metrics: { sources: 12, tokens: 8_210 },
					name: "Research",
					position: 2,
				},
				{
					id: "research/search",
					status: "completed",
					startedAt: at("09:28:40"),
					completedAt: at("09:28:52"),
					attempt: 2,
					name: "Search the web",
					position: 3,
					parentId: "research",
				},
				{
					id: "research/read",
					status: "completed",
					startedAt: at("09:28:52"),
					completedAt: at("09:29:10"),
					name: "Read 12 pages",
					position: 4,
					parentId: "research",
				},
				{
					id: "write",
					status: "running",
					startedAt: at("09:29:10"),
					completedAt: null,
					activity: { at: at("09:30:20"), message: "Writing section 2 of 3", progress: 0.6 },
					metrics: { tokens: 1_904 },
					name: "Write the report",
					position: 5,
				},
				{
					id: "approve",
					status: "pending",
					startedAt: null,
					completedAt: null,
					name: "Ask for approval",
					position: 6,
				},
			],
			{
				attempt: 2,
				activity: {
					at: at("09:30:25"),
					message: "Waits for somebody to approve section 1",
					waiting: true,
					progress: 0.7,
				},
				metrics: { cost: 0.042, tokens: 10_526 },
				workflowName: "Research report",
				externalId: "wrun_01J9ZC0V4QX7M2",
				messageId: "msg_7f3a",
			},
		),
		run(
			"0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e09",
			chatId,
			{ status: "completed", startedAt: at("09:28:40"), completedAt: at("09:28:52") },
			[
				{
					id: "query",
					status: "completed",
					startedAt: at("09:28:40"),
					completedAt: at("09:28:52"),
					output: [{ title: "Release notes", url: "https://example.com/notes" }],
					name: "Query",
					position: 1,
				},
			],
			{
				output: { found: 12, best: "https://example.com/notes" },
				metrics: { tokens: 96 },
				workflowName: "Web search",
				externalId: "wrun_01J9ZC1A9K3N5P",
				parentRunId: PARENT,
			},
		),
		run(
			"0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e07",
			chatId,
			{
				status: "failed",
				startedAt: ago(2, "08:00:00"),
				completedAt: ago(1, "08:00:00"),
				error: JSON.stringify({ message: "Nothing was heard of this run for 24 hours" }),
			},
			[
				{
					id: "connect",
					status: "failed",
					startedAt: ago(2, "08:00:00"),
					completedAt: ago(2, "08:00:09"),
					error: { message: "The mailbox did not answer" },
					name: "Connect",
					position: 1,
				},
				{
					id: "fetch",
					status: "running",
					startedAt: ago(2, "08:00:00"),
					completedAt: null,
					name: "Fetch",
					position: 2,
				},
			],
			{ workflowName: "Nightly digest", assumed: true },
		),
	];
}
