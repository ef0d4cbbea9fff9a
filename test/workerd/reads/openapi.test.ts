import type { Schema } from "@cfworker/json-schema";
import { Validator } from "@cfworker/json-schema";
import { describe, expect, it } from "vitest";
import { version } from "../../../package.json";
import readme from "../../../README.md?raw";
import { ERRORS, type ErrorCode } from "../../../src/errors.ts";
import { readExample } from "../../fixtures/contract.ts";
import contract from "../../fixtures/contract.txt?raw";
import { conforming, openApiDocument, openApiOperations } from "../conforms.ts";
import { request } from "../helpers.ts";

const document = await openApiDocument();
const operations = await openApiOperations();

/** Every object in a JSON value, itself included. */
function* objects(value: unknown): Generator<Record<string, unknown>> {
	if (typeof value !== "object" || value === null) return;
	if (!Array.isArray(value)) yield value as Record<string, unknown>;
	for (const each of Object.values(value)) yield* objects(each);
}

describe("the OpenAPI document", () => {
	it("is OpenAPI 3.1 with a title and the package's version", async () => {
		expect((await request("/api/openapi.json")).headers.get("content-type")).toMatch(/^application\/json/);
		expect(document.openapi).toMatch(/^3\.1\.\d+$/);
		expect(document.info).toMatchObject({ title: "edge-runs", version });
	});

	it("refers to nothing that is not in it", () => {
		const refs = [...objects(document)].map((each) => each["$ref"]).filter((ref) => typeof ref === "string");
		expect(refs.length).toBeGreaterThan(5);
		for (const ref of refs) {
			const found = ref
				.slice(2)
				.split("/")
				.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
			expect(found, ref).toBeTypeOf("object");
		}
		const schemes = Object.keys(document.components.securitySchemes);
		for (const { operation } of operations) {
			for (const scheme of operation.security ?? [])
				expect(schemes).toEqual(expect.arrayContaining(Object.keys(scheme)));
		}
	});

	it("names each operation once, declares each path parameter, and describes each response", () => {
		const ids = operations.map(({ operation }) => operation.operationId);
		expect(new Set(ids).size).toBe(ids.length);
		for (const { path, operation } of operations) {
			const inPath = (operation.parameters ?? []).filter((each) => each.in === "path").map((each) => each.name);
			expect(inPath.sort()).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort());
			for (const response of Object.values(operation.responses)) expect(response.description).toBeTruthy();
		}
	});

	it("has the contract's endpoint, its fields and its statuses", () => {
		const { data } = JSON.parse(readExample(contract).json);
		const { WorkflowRun, WorkflowRunStep, WorkflowRunStatus } = document.components.schemas;
		expect(document.paths).toHaveProperty(["/api/chats/{chatId}/workflow-runs", "get"]);
		expect(WorkflowRun?.required?.toSorted()).toEqual(Object.keys(data.workflowRuns[0]).sort());
		expect(WorkflowRunStep?.required?.toSorted()).toEqual(Object.keys(data.workflowRuns[0].steps[0]).sort());
		expect(WorkflowRunStatus?.enum).toEqual(["pending", "running", "completed", "failed", "cancelled"]);
	});

	it("has the contract's example, which is valid by its schema", () => {
		const { components } = document;
		const { example } = components.schemas["WorkflowRunList"] as Schema;
		const ids = { id: expect.any(String), workflowId: expect.any(String) };
		const { data } = JSON.parse(readExample(contract).json);
		expect(example).toEqual({ data: { workflowRuns: [{ ...data.workflowRuns[0], ...ids }] } });
		const validator = new Validator({ $ref: "#/components/schemas/WorkflowRunList", components }, "2020-12");
		expect(validator.validate(example)).toEqual({ valid: true, errors: [] });
		const { steps: _, ...withoutSteps } = example.data.workflowRuns[0];
		expect(validator.validate({ data: { workflowRuns: [withoutSteps] } }).valid).toBe(false);
	});

	it("lists every error under a status of its own, and the contract's under the list", () => {
		const described = (code: ErrorCode, responses: (typeof operations)[number]["operation"]["responses"]) =>
			responses[ERRORS[code].status]?.description.includes(`${code}: ${ERRORS[code].message}`);
		const routeless: ErrorCode[] = ["ROUTE_NOT_FOUND"];
		for (const code of Object.keys(ERRORS) as ErrorCode[]) {
			const listed = operations.some(({ operation }) => described(code, operation.responses));
			expect(listed, code).toBe(!routeless.includes(code));
		}
		const list = document.paths["/api/chats/{chatId}/workflow-runs"]?.["get"];
		for (const line of contract.match(/^4\d\d .+$/gm) as string[]) {
			const message = line.replace(/^\d+ (Bad Request|Unauthorized|Forbidden|Not Found) /, "");
			expect(list?.responses[line.slice(0, 3)]?.description).toContain(message);
		}
	});

	it("says of each operation whether somebody must sign in, and of each error which headers it has", () => {
		for (const { operation } of operations) {
			expect(operation.security, operation.operationId).toBeInstanceOf(Array);
			for (const [status, name] of [
				["401", "www-authenticate"],
				["405", "allow"],
				["429", "retry-after"],
				["503", "retry-after"],
			] as const) {
				const response = operation.responses[status];
				if (response && operation.operationId !== "getHealth") expect(Object.keys(response.headers)).toContain(name);
			}
			expect(operation.responses["405"]?.description).toContain("METHOD_NOT_ALLOWED");
		}
	});

	it("may be kept for some minutes, and is not sent again to a client that has it", async () => {
		const first = await request("/api/openapi.json");
		expect(first.headers.get("cache-control")).toBe("public, max-age=300");
		const etag = first.headers.get("etag") as string;
		const again = await request("/api/openapi.json", { headers: { "if-none-match": etag } });
		expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, etag, ""]);
	});

	it("has an error's codes: an answer with a code that its route does not publish is not conforming", async () => {
		const answer = (code: ErrorCode) => {
			const { status, error, message } = ERRORS[code];
			const body = { error, code, message, requestId: "1" };
			return Response.json(body, { status, headers: { "x-request-id": "1" } });
		};
		const asked = new Request(`http://edge-runs.test/api/chats/${crypto.randomUUID()}/workflow-runs`);
		await expect(conforming(asked, answer("CHAT_NOT_FOUND"))).resolves.toBeInstanceOf(Response);
		await expect(conforming(asked, answer("RUN_NOT_FOUND"))).rejects.toThrow("not as published");
		await expect(conforming(asked, answer("CHAT_CONFLICT"))).rejects.toThrow("does not list");
	});

	it("has no route that the README does not list", () => {
		const routes = operations.map(({ method, path }) => `| \`${method} ${path.replace(/\{(\w+)\}/g, ":$1")}\` |`);
		expect(routes.filter((route) => !readme.includes(route))).toEqual([]);
	});

	it("names both session cookies and the read token, each enough for every read", () => {
		expect(document.components.securitySchemes).toMatchObject({
			sessionCookie: { type: "apiKey", in: "cookie", name: "better-auth.session_token" },
			secureSessionCookie: { type: "apiKey", in: "cookie", name: "__Secure-better-auth.session_token" },
			readToken: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
		});
		const reads = operations.filter(({ operation }) => operation.security?.some((scheme) => "sessionCookie" in scheme));
		expect(reads.length).toBeGreaterThanOrEqual(4);
		for (const { operation } of reads) {
			expect(operation.security).toEqual([{ sessionCookie: [] }, { secureSessionCookie: [] }, { readToken: [] }]);
		}
	});
});
