import { expect, it } from "vitest";
import { sha256Hex } from "../../../src/digest.ts";
import { SHAPE_VERSION } from "../../../src/workflow-runs/edge-cache.ts";
import type { OpenApiDocument } from "../conforms.ts";
import { request } from "../helpers.ts";

/**
 * The served shape of each version. An older one's entries must not be served by a newer Worker, so a shape that changes
 * is a new version: raise SHAPE_VERSION, and add its digest here. Never change a digest that was released.
 */
const SHAPES: Readonly<Record<number, string>> = {
	2: "ef9ee12254ab30f9",
};

/** What makes a shape; limits, formats and words for people do not. */
const SHAPING = ["type", "enum", "required"];

/** What a schema says of a shape, with what it refers to. */
function shapeOf(schema: unknown, components: Record<string, unknown>): unknown {
	if (typeof schema !== "object" || schema === null) return schema;
	const { $ref, properties, additionalProperties, items, ...rest } = schema as Record<string, unknown>;
	if (typeof $ref === "string") return shapeOf(components[$ref.split("/").at(-1) as string], components);
	const fields = Object.entries(properties ?? {}).sort();
	return [
		SHAPING.map((name) => rest[name] ?? null),
		fields.map(([name, field]) => [name, shapeOf(field, components)]),
		shapeOf(additionalProperties ?? null, components),
		items === undefined ? null : shapeOf(items, components),
	];
}

it("a published shape that changes is a new SHAPE_VERSION", async () => {
	const document = await (await request("/api/openapi.json")).json<OpenApiDocument>();
	const { schemas } = document.components;
	const shape = JSON.stringify(shapeOf(schemas["WorkflowRunList"], schemas));
	expect(shape).toContain('"workflowId"');
	const digest = await sha256Hex(new TextEncoder().encode(shape), 16);
	expect(Number(Object.keys(SHAPES).at(-1))).toBe(SHAPE_VERSION);
	expect(digest, "the served shape has changed: raise SHAPE_VERSION, and add the digest").toBe(SHAPES[SHAPE_VERSION]);
});
