import { type Schema, Validator } from "@cfworker/json-schema";
import { expect, it } from "vitest";
import { openApiDocument, openApiOperations } from "../conforms.ts";
import { request, uuid } from "../helpers.ts";
import { recording, registeredChat, report } from "./recorder.ts";

const { components } = await openApiDocument();
const bodies = (await openApiOperations()).flatMap(({ method, path, operation }) => {
	const schema = operation.requestBody?.content["application/json"]?.schema;
	return schema ? [{ method, path, schema }] : [];
});

const valid = (schema: Schema, body: unknown) =>
	new Validator({ ...schema, components }, "2020-12").validate(JSON.parse(JSON.stringify(body))).valid;

it.each(bodies)(
	"the published example of $method $path is valid, and the service takes it",
	async ({ method, path, schema }) => {
		const name = schema.$ref?.split("/").at(-1) as string;
		const example: unknown = components.schemas[name]?.example;
		expect(valid(schema, example)).toBe(true);
		const { chat } = await registeredChat();
		const to = path.replace("{runId}", uuid()).replace("{chatId}", path.endsWith("{chatId}") ? uuid() : chat);
		const { status } = await request(to, recording(method, example));
		expect(status).toBe(201);
	},
);

it("the published schema of a report takes and refuses what the service does", () => {
	expect(bodies).toHaveLength(4);
	const schema = { $ref: "#/components/schemas/WorkflowRunReport" };
	for (const good of [report(), { workflowId: uuid(), status: "pending" }, report({ startedAt: null })]) {
		expect(valid(schema, good)).toBe(true);
	}
	for (const bad of [{ status: "done" }, { retries: 1 }, { steps: [{ id: "" }] }, { error: "x" }, { startedAt: 7 }]) {
		expect(valid(schema, report(bad)), JSON.stringify(bad)).toBe(false);
	}
});
