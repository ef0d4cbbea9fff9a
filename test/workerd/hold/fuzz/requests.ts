import fc from "fast-check";
import { STATUSES } from "../../../../src/workflow-runs/schemas.ts";
import { OPERATOR_TOKENS, TOKENS } from "../../recording/recorder.ts";
import { anyBody, anyText } from "./bodies.ts";
import { CHATS, RUNS } from "./world.ts";

/** A request that a client could send. */
export interface Sent {
	method: string;
	/** From the first slash, with its query. */
	path: string;
	headers: [name: string, value: string][];
	body?: string | Uint8Array<ArrayBuffer>;
}

const BOOKMARK = "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683";

/** What a path or a query is made of: names that mean something, and text in every state of encoding. */
const piece = fc.oneof(
	{
		weight: 3,
		arbitrary: fc.constantFrom("api", "chats", "workflow-runs", "stream", "health", "docs", "openapi.json", ""),
	},
	anyText.map((text) => encodeURIComponent(text.toWellFormed())),
	fc.constantFrom(
		"%",
		"%zz",
		"%ff",
		"%00",
		"%2e%2e",
		"%2f",
		"..",
		".",
		"%C0%AF",
		"*",
		":chatId",
		"{chatId}",
		"//",
		";",
		"@",
	),
	fc.webPath(),
);

const caseOf = (text: string) => fc.mixedCase(fc.constant(text));
const chatId = fc.oneof(
	{ weight: 6, arbitrary: fc.constant(CHATS.mine) },
	{ weight: 3, arbitrary: fc.constantFrom(...Object.values(CHATS)) },
	caseOf(CHATS.mine),
	fc.uuid(),
	piece,
);
const runId = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...RUNS) }, fc.uuid(), piece);

const METHODS = ["GET", "PUT", "PATCH", "HEAD", "POST", "DELETE", "OPTIONS", "QUERY", "PROPFIND", "get", "x"];

/** A route with its ids, and a method: mostly one that the route has, or all would be 405. */
function route(methods: string[], path: fc.Arbitrary<string>) {
	const method = fc.oneof(
		{ weight: 6, arbitrary: fc.constantFrom(...methods) },
		{ weight: 1, arbitrary: fc.constantFrom(...METHODS) },
	);
	return fc.record({ method, path });
}

const list = chatId.map((chat) => `/api/chats/${chat}/workflow-runs`);
const one = fc.tuple(chatId, runId).map(([chat, run]) => `/api/chats/${chat}/workflow-runs/${run}`);
const chat = chatId.map((id) => `/api/chats/${id}`);
/** Never the owner's: what is left of the fuzz would find nothing. */
const doomed = fc.oneof(fc.constantFrom(CHATS.deleted, CHATS.none), piece).map((id) => `/api/chats/${id}`);
/** Nobody's: an export of the stranger's may well hold what only they may read. */
const user = fc.oneof(fc.constant("fuzz-nobody"), piece).map((id) => `/api/users/${id}`);
const page = chatId.map((id) => `/chats/${id}`);
const events = chatId.map((chat) => `/api/chats/${chat}/ag-ui-events`);
const anyPath = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("/")}`);
const streams = fc.oneof(list, one).map((path) => `${path}/stream`);

const target = fc.oneof(
	{ weight: 4, arbitrary: route(["GET"], list) },
	{ weight: 4, arbitrary: route(["PATCH"], list) },
	{ weight: 2, arbitrary: route(["GET"], one) },
	{ weight: 5, arbitrary: route(["PUT"], one) },
	{ weight: 3, arbitrary: route(["POST"], events) },
	{ weight: 2, arbitrary: route(["PUT"], chat) },
	{ weight: 1, arbitrary: route(["DELETE"], doomed) },
	{ weight: 1, arbitrary: route(["DELETE"], user) },
	{
		weight: 1,
		arbitrary: route(
			["GET"],
			fc.tuple(user, fc.constantFrom("/export", "/x")).map((pair) => pair.join("")),
		),
	},
	{ weight: 2, arbitrary: route(["GET"], streams) },
	{ weight: 2, arbitrary: route(["GET"], page) },
	{ weight: 2, arbitrary: route(["GET"], fc.constantFrom("/api/workflow-runs", "/api/workflow-runs/active")) },
	{ weight: 1, arbitrary: route(["GET"], fc.constantFrom("/api/health", "/api/openapi.json")) },
	{ weight: 1, arbitrary: route(METHODS, anyPath) },
);

const parameter = fc.oneof(
	fc.subarray([...STATUSES, "done", ""]).map((statuses) => `status=${statuses}`),
	fc.oneof(fc.integer(), fc.double(), fc.constantFrom("5", "100")).map((limit) => `limit=${limit}`),
	fc
		.oneof(piece, fc.base64String(), fc.constantFrom(...RUNS.map((id) => btoa(`~ ${id}`))))
		.map((text) => `cursor=${text}`),
	fc
		.tuple(
			fc.constantFrom("startedAfter", "startedBefore", "steps"),
			fc.oneof(
				piece,
				fc.constantFrom("none"),
				fc.date().map(String),
				fc.date({ noInvalidDate: true }).map((at) => at.toISOString()),
			),
		)
		.map((pair) => pair.join("=")),
	fc
		.tuple(fc.constantFrom("workflow", "runId", "messageId", "outputs"), fc.oneof(piece, fc.constantFrom("true", "r1")))
		.map((pair) => pair.join("=")),
	fc.tuple(fc.constantFrom("before", "status", "__proto__", "limit[]", "erase"), piece).map((pair) => pair.join("=")),
	piece,
);
const query = fc.oneof(
	fc.constant(""),
	fc.array(parameter, { maxLength: 4 }).map((parameters) => `?${parameters.join("&")}`),
);

/** Other bytes are in test/node/raw-http.test.ts: here each would have workerd print a warning. */
const headerText = fc.string({ maxLength: 60 });
const value = (...known: string[]) => fc.oneof(fc.constantFrom(...known), headerText);

const cookies = (owners: string) =>
	fc.oneof(
		{ weight: 30, arbitrary: fc.constant(owners) },
		fc.tuple(headerText, headerText).map(([before, after]) => `${before}; ${owners}; ${after}`),
		// One character changed.
		fc
			.tuple(fc.nat(owners.length - 1), headerText)
			.map(([at, text]) => owners.slice(0, at) + text + owners.slice(at + 1)),
		headerText.map((text) => `better-auth.session_token=${text}`),
		headerText,
	);

const mostly = (header: fc.Arbitrary<string>) => fc.option(header, { freq: 20, nil: undefined });
const seldom = (header: fc.Arbitrary<string>) =>
	fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: header });

const someHeaders = (cookie: string): fc.Arbitrary<Sent["headers"]> =>
	fc
		.record({
			cookie: mostly(cookies(cookie)),
			authorization: mostly(
				fc.oneof(
					{ weight: 20, arbitrary: fc.constant(`Bearer ${TOKENS[0]}`) },
					{ weight: 3, arbitrary: fc.constant(`Bearer ${OPERATOR_TOKENS[0]}`) },
					headerText.map((text) => `Bearer ${text}`),
					headerText,
				),
			),
			"content-type": mostly(
				fc.oneof(
					{ weight: 20, arbitrary: fc.constant("application/json") },
					value(
						"application/x-ndjson",
						"text/event-stream",
						"application/json; charset=utf-16",
						"application/json ;charset=utf-8",
						"application/vnd.engine.v2+json",
						"text/plain",
						"application/merge-patch+json",
						"multipart/form-data",
					),
				),
			),
			"content-encoding": seldom(value("gzip", "identity")),
			"if-none-match": seldom(value("*", 'W/"1"', '"', ",")),
			"last-event-id": seldom(value("0")),
			"x-d1-bookmark": seldom(value(BOOKMARK, "first-primary")),
			"x-request-id": seldom(value("my-own-id")),
			origin: seldom(value("null", "https://app.example.com")),
			range: seldom(value("bytes=0-0")),
			accept: seldom(value("text/html", "text/event-stream")),
			"cf-connecting-ip": seldom(value("192.0.2.1")),
			"x-http-method-override": seldom(value("DELETE")),
		})
		.map((headers) => Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined));

/** @param cookie the owner's */
export const anyRequest = (cookie: string): fc.Arbitrary<Sent> =>
	fc
		.record({ target, query, headers: someHeaders(cookie), body: anyBody })
		.map(({ target: { method, path }, query, headers, body }) => {
			const takesBody = !["GET", "HEAD", "get"].includes(method);
			return { method, path: path + query, headers, ...(takesBody && { body }) };
		});
