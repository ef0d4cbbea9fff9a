import { exports } from "cloudflare:workers";
import { type Schema, Validator } from "@cfworker/json-schema";

export interface Operation {
	operationId: string;
	parameters?: { in: string; name: string }[];
	security?: Record<string, string[]>[];
	requestBody?: { content: Record<string, { schema: Schema }> };
	responses: Record<string, { description: string; headers: object; content?: Record<string, { schema: Schema }> }>;
}

export interface OpenApiDocument {
	openapi: string;
	info: { title: string; version: string };
	paths: Record<string, Record<string, Operation>>;
	components: { schemas: Record<string, Schema>; securitySchemes: Record<string, { name: string }> };
}

let published: Promise<OpenApiDocument> | undefined;

/** The document that the service publishes, fetched once a test file. */
export function openApiDocument(): Promise<OpenApiDocument> {
	published ??= exports.default
		.fetch("http://edge-runs.test/api/openapi.json")
		.then((response) => response.json<OpenApiDocument>());
	return published;
}

/** Every operation of the document, with its method in upper case and its path template. */
export async function openApiOperations(): Promise<{ method: string; path: string; operation: Operation }[]> {
	const { paths } = await openApiDocument();
	return Object.entries(paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
	);
}

/** Codes that belong to no route, and so to no route's entry in the document. */
const ROUTELESS = ["ROUTE_NOT_FOUND", "METHOD_NOT_ALLOWED"];

/**
 * Fails unless a response is what the published document promises for its route and status, and carries a request id.
 * @returns the response, unread
 */
export async function conforming(request: Request, response: Response): Promise<Response> {
	const { pathname } = new URL(request.url);
	const what = `${request.method} ${pathname} answered ${response.status}`;
	if (!response.headers.get("x-request-id")) throw new Error(`${what} without x-request-id`);
	if (!response.headers.get("content-type")?.startsWith("application/json")) return response;
	if (pathname === "/api/openapi.json" || request.method === "HEAD") return response;

	const body = await response.clone().json();
	const { valid, errors } = (await validatorFor(request.method, pathname, response.status, body, what)).validate(body);
	if (!valid) throw new Error(`${what} with a body that is not as published: ${JSON.stringify(errors.slice(-3))}`);
	return response;
}

const validators = new Map<Schema, Validator>();

async function validatorFor(method: string, pathname: string, status: number, body: unknown, what: string) {
	const { components } = await openApiDocument();
	const operation = (await openApiOperations()).find((each) => each.method === method && matches(each.path, pathname));
	const routeless = ROUTELESS.includes((body as { code?: string }).code ?? "");
	const schema = routeless
		? { $ref: "#/components/schemas/Error" }
		: operation?.operation.responses[status]?.content?.["application/json"]?.schema;
	if (!schema) throw new Error(`${what}, which the OpenAPI document does not list`);
	let validator = validators.get(schema);
	if (!validator) {
		validator = new Validator({ ...schema, components }, "2020-12");
		validators.set(schema, validator);
	}
	return validator;
}

function matches(template: string, pathname: string): boolean {
	const parts = pathname.split("/");
	const wanted = template.split("/");
	return wanted.length === parts.length && wanted.every((part, i) => part.startsWith("{") || part === parts[i]);
}
