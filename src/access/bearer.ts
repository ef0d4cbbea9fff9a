/** `Authorization: Bearer b64token` (RFC 6750, 2.1); the scheme in any case (RFC 9110, 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** The token of an `Authorization` header; null if the header has another scheme, or there is none, or it is malformed. */
export function readBearer(authorization: string | undefined): string | null {
	return BEARER.exec(authorization ?? "")?.[1] ?? null;
}

/** Whether an `Authorization` header is of the scheme Bearer, well-formed or not. */
export function isBearer(authorization: string | undefined): boolean {
	return /^Bearer(?: |$)/i.test(authorization ?? "");
}
