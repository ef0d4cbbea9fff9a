import { describe, expect, it } from "vitest";
import { readExample } from "../../fixtures/contract.ts";
import contract from "../../fixtures/contract.txt?raw";
import { insertChat, insertRuns, request, runsPath, signIn, uuid } from "../helpers.ts";

const CHAT = "550e8400-e29b-41d4-a716-446655440000";
const example = JSON.parse(readExample(contract).json);

describe("the contract's example", () => {
	it("comes back field for field, in its order", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		await insertChat(user, { id: CHAT });
		const [documented] = example.data.workflowRuns;
		// The example's ids are placeholders: everything else is stored as it stands there.
		const ids = { id: uuid(), workflowId: uuid() };
		const { status, startedAt, completedAt, steps } = documented;
		await insertRuns(CHAT, [{ ...ids, status, startedAt, completedAt, steps: JSON.stringify(steps) }]);

		const response = await request(runsPath(CHAT), {
			headers: { accept: "application/json", "content-type": "application/json", cookie },
		});

		expect(response.status).toBe(200);
		expect(response.headers.get("content-type")).toBe("application/json");
		const body = await response.json();
		const expected = { data: { workflowRuns: [{ ...documented, ...ids }] } };
		expect(body).toStrictEqual(expected);
		expect(JSON.stringify(body)).toBe(JSON.stringify(expected));
	});

	it("shows every status of the contract", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		const statuses = [...contract.matchAll(/^(pending|running|completed|failed|cancelled) /gm)].map(
			([, status]) => status,
		);
		expect(statuses).toHaveLength(5);
		await insertRuns(
			chat,
			statuses.map((status) => ({
				status: status as string,
				...(status === "pending" ? { startedAt: null } : {}),
				...(status === "pending" || status === "running" ? { completedAt: null } : {}),
			})),
		);

		const { data } = await (await request(runsPath(chat), { headers: { cookie } })).json<typeof example>();
		expect(data.workflowRuns.map((run: { status: string }) => run.status).sort()).toEqual([...statuses].sort());
	});

	it.each(contract.match(/^4\d\d .+$/gm) as string[])("answers %s", async (line) => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const cases: Record<string, [path: string, cookie: string]> = {
			"400": [runsPath("not-a-uuid"), cookie],
			"401": [runsPath(await insertChat(user)), ""],
			"403": [runsPath(await insertChat(uuid())), cookie],
			"404": [runsPath(uuid()), cookie],
		};
		const [path, sent] = cases[line.slice(0, 3)] as [string, string];

		const response = await request(path, { headers: { cookie: sent } });

		const { error, message } = await response.json<{ error: string; message: string }>();
		expect(`${response.status} ${error} ${message}`).toBe(line);
	});
});
