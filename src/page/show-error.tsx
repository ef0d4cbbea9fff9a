import type { Context } from "hono";
import { ERRORS, type ErrorCode, type ServiceError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { Document, toHtml } from "./document.tsx";

/** Advice for these errors. The messages of the others say enough. */
const TEXTS: Partial<Record<ErrorCode, readonly [title: string, advice: string]>> = {
	INVALID_SESSION: ["You are not signed in", "Sign in to the app that this chat belongs to, then reload this page."],
	CHAT_FORBIDDEN: ["This chat belongs to someone else", "Only its owner can see its workflow runs."],
	CHAT_NOT_FOUND: ["There is no such chat", "It may have been deleted, or the address may be incomplete."],
	RUN_NOT_FOUND: ["There is no such workflow run", "It may have been deleted, or the address may be incomplete."],
	INVALID_RUN_ID: ["This is not a workflow run's address", "Its address ends in its id. Is it complete?"],
	INVALID_CHAT_ID: ["This is not a chat's address", "The address of a chat ends in its id. Is it complete?"],
	STORE_UNAVAILABLE: ["The workflow runs are out of reach", "A data store does not answer. Reload in a few seconds."],
};

/** A page that explains an error, with the error's status. */
export function showError(c: Context<AppEnv>, error: ServiceError): Response {
	const { status, error: phrase, headers } = ERRORS[error.code];
	const [title, advice] = TEXTS[error.code] ?? [phrase, error.message];
	const page = (
		<Document title={title}>
			<main class="error-page">
				<p class="code">{status}</p>
				<h1>{title}</h1>
				<p>{advice}</p>
				<p class="request">
					{error.code} · Request {c.var.requestId}
				</p>
			</main>
		</Document>
	);
	return c.html(toHtml(page), status, { "cache-control": "no-store", ...headers });
}
