import { expect, it } from "vitest";
import { openApiOperations } from "../conforms.ts";
import { uuid } from "../helpers.ts";
import { describeTokenDenials } from "./denial.ts";
import { report } from "./recorder.ts";

/** A body for each operation that takes one. A new one is named here. */
const BODIES: Record<string, (userId: string) => unknown> = {
	registerChat: (userId) => ({ userId }),
	recordWorkflowRun: () => report(),
	recordAgUiEvents: () => [{ type: "RUN_STARTED", threadId: "t", runId: uuid() }],
	recordWorkflowRuns: () => ({ workflowRuns: [{ id: uuid(), ...report() }] }),
};

const operations = await openApiOperations();
const secured = operations.filter(({ operation }) => operation.security?.some((scheme) => "recorderToken" in scheme));

// Whatever the published document says asks for a service token is denied without one.
for (const { method, path, operation } of secured) {
	describeTokenDenials("service", `${method} ${path}`, {
		method,
		path: (chatId, runId) => path.replace("{chatId}", chatId).replace("{runId}", runId),
		body: BODIES[operation.operationId],
	});
}

it("every write asks for a service token and for nothing else, and every read for none", () => {
	const isWrite = (method: string) => !["GET", "HEAD"].includes(method);
	for (const { method, path, operation } of operations) {
		const schemes = operation.security?.flatMap((scheme) => Object.keys(scheme)) ?? [];
		const isForOperators = schemes.includes("operatorToken");
		// What a recorder may do to a chat, an operator may do for good, each with a token of their own.
		const expected = isWrite(method) && !isForOperators ? ["recorderToken"] : schemes;
		expect(schemes, `${method} ${path}`).toEqual(expected);
		expect(schemes.includes("recorderToken"), `${method} ${path}`).toBe(
			path.startsWith("/api/chats/") && isWrite(method),
		);
	}
	expect(secured.map(({ operation }) => operation.operationId).sort()).toEqual(
		["deleteChat", ...Object.keys(BODIES)].sort(),
	);
});
