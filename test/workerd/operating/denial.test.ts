import { expect, it } from "vitest";
import { openApiOperations } from "../conforms.ts";
import { request, uuid } from "../helpers.ts";
import { describeTokenDenials } from "../recording/denial.ts";
import { recording, registeredChat, TOKENS } from "../recording/recorder.ts";
import { operating } from "./operator.ts";

const operations = await openApiOperations();
const secured = operations.filter(({ operation }) => operation.security?.some((scheme) => "operatorToken" in scheme));

/** What makes an operation one for operators, where it is not always. */
const QUERIES: Record<string, string> = { deleteChat: "?erase=true" };

// Whatever the published document says asks for an operator token is denied without one.
for (const { method, path, operation } of secured) {
	describeTokenDenials("operator", `${method} ${path}`, {
		method,
		path: (chatId, runId, userId) =>
			path.replace("{chatId}", chatId).replace("{runId}", runId).replace("{userId}", encodeURIComponent(userId)) +
			(QUERIES[operation.operationId] ?? ""),
	});
}

it("what is for operators asks for an operator token and for nothing else", () => {
	const always = secured.filter(({ operation }) => !(operation.operationId in QUERIES));
	for (const { operation } of always) expect(operation.security).toEqual([{ operatorToken: [] }]);
	const paths = operations.filter(({ path }) => /^\/api\/(users|admin)\//.test(path));
	expect(always.map(({ path }) => path)).toEqual(paths.map(({ path }) => path));
	expect(paths.length).toBeGreaterThan(1);
});

it("an operator token deletes no chat softly, and a service token erases none, whatever erase says", async () => {
	const { chat } = await registeredChat();
	const service = { authorization: `Bearer ${TOKENS[0]}` };
	for (const [query, init, status] of [
		["", operating("DELETE"), 401],
		["?erase=true", recording("DELETE", undefined, service), 401],
		["?erase", recording("DELETE", undefined, service), 401],
		["?erase=false", recording("DELETE", undefined, service), 401],
		["?erase=false", operating("DELETE"), 400],
		["?erase=1", operating("DELETE"), 400],
		["?erase=true&erase=true", operating("DELETE"), 400],
		["?Erase=true", recording("DELETE", undefined, service), 204],
	] as const) {
		const response = await request(`/api/chats/${chat}${query}`, init);
		expect([query, response.status]).toEqual([query, status]);
		if (status === 400) expect(await response.json()).toMatchObject({ message: expect.stringMatching(/^erase: /) });
	}
	expect((await request(`/api/chats/${uuid()}?erase=true`, operating("DELETE"))).status).toBe(404);
});
