/* Headers of requests and responses, for the routes' OpenAPI contracts. */

const text = (description: string) => ({ schema: { type: "string" as const }, description });
const number = (description: string) => ({ schema: { type: "integer" as const, minimum: 0 }, description });

/** Headers of every response. */
export const headers = {
	"x-request-id": text("Names this request in the service's log. A well-formed one in the request is kept"),
	"cache-control": text("Whether the response may be kept (RFC 9111, 5.2)"),
};

const bookmark = { "x-d1-bookmark": text("Send it with a read, and the answer includes all that this one saw") };

/** Headers of a response that a client may keep and revalidate. */
export const cacheableHeaders = {
	...headers,
	...bookmark,
	etag: text("For `If-None-Match`: a digest of the body"),
	age: number("Seconds since D1 last confirmed a cached answer (RFC 9111, 5.1)"),
	"cache-status": text("How the edge cache took part (RFC 9211)"),
	"server-timing": text("How long KV and D1 took, in milliseconds; they overlap (W3C Server Timing)"),
};

/** Headers of a response to a write. */
export const writtenHeaders = { ...headers, ...bookmark };

/** Headers that an error's status asks for. */
export const errorHeaders: Readonly<Record<number, Record<string, ReturnType<typeof text | typeof number>>>> = {
	401: { "www-authenticate": text("How to sign in (RFC 9110, 11.6.1)") },
	405: { allow: text("The methods that the path has (RFC 9110, 10.2.1)") },
	429: { "retry-after": number("After how many seconds to try again (RFC 9110, 10.2.3)") },
	503: { "retry-after": number("After how many seconds to try again (RFC 9110, 10.2.3)") },
};

/* Headers of requests. They are no zod schemas, which would make an object of all headers of every request. */

const optional = (name: string, description: string) => ({
	in: "header" as const,
	name,
	required: false,
	schema: { type: "string" as const },
	description,
});

export const ifNoneMatchParameter = optional(
	"if-none-match",
	"The `etag` of an earlier answer: 304 if that is still what there is (RFC 9110, 13.1.2)",
);

export const lastEventIdParameter = optional(
	"last-event-id",
	"The id of the last event that the client has. EventSource sends it when it comes back",
);
