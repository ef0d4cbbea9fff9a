import { WorkerEntrypoint } from "cloudflare:workers";
import type { z } from "@hono/zod-openapi";
import type { WorkflowRunRecorder as PublishedRecorder, Reported, RunOverRpc, Written } from "#recorder/binding.ts";
import { deleteChat } from "./chats/delete.ts";
import { registerChat } from "./chats/register.ts";
import { ChatRegistration } from "./chats/schemas.ts";
import type { Env } from "./env.ts";
import { ERRORS, type ErrorCode, ServiceError } from "./errors.ts";
import { describeIssue } from "./http/errors.ts";
import { logError, logInfo } from "./log.ts";
import { type Scope, scopeOf } from "./scope.ts";
import { Uuid } from "./uuid.ts";
import { recordRun, recordRuns, toRecordedRuns, warningsOf } from "./workflow-runs/record.ts";
import { WorkflowRunReport, WorkflowRunReports } from "./workflow-runs/report.ts";

/** The type that the package publishes, without what only Cloudflare's types look for. */
type Published = Omit<PublishedRecorder, "__WORKER_ENTRYPOINT_BRAND">;

/**
 * The verbs of the HTTP API for Workers that bind this service. The binding is the permission.
 *
 * If a verb refuses, it throws an error with the message `CODE: what is wrong (request ID)`. The codes are those of the
 * HTTP API. The error also has the code as `code`, for callers whose compatibility date is 2026-04-21 or later
 * (`enhanced_error_serialization`). For others an error's properties get lost on the way.
 */
export class WorkflowRunRecorder extends WorkerEntrypoint<Env> implements Published {
	/**
	 * Registers a chat with its owner; see `PUT /api/chats/:chatId`.
	 * @returns `created`: whether the chat is new
	 */
	async registerChat(chatId: string, registration: ChatRegistration): Promise<Written & { created: boolean }> {
		return this.#run("registerChat", async (scope) => {
			const { result, bookmark } = await registerChat(
				scope,
				parseChatId(chatId),
				parse(ChatRegistration, registration, "INVALID_BODY"),
			);
			return { created: result, bookmark };
		});
	}

	/** Deletes a chat softly; see `DELETE /api/chats/:chatId`. */
	async deleteChat(chatId: string): Promise<Written> {
		return this.#run("deleteChat", async (scope) => {
			const { bookmark } = await deleteChat(scope, parseChatId(chatId));
			return { bookmark };
		});
	}

	/**
	 * Reports one run; see `PUT /api/chats/:chatId/workflow-runs/:runId`.
	 * @returns the merged run, and whether it is new
	 */
	async recordWorkflowRun(
		chatId: string,
		runId: string,
		report: Parameters<Published["recordWorkflowRun"]>[2],
	): Promise<Reported & { workflowRun: RunOverRpc; created: boolean }> {
		return this.#run("recordWorkflowRun", async (scope) => {
			const [chat, run] = [parseChatId(chatId), parse(Uuid, runId, "INVALID_RUN_ID")];
			const parsed = parse(WorkflowRunReport, report, "INVALID_BODY");
			const { result, bookmark } = await recordRun(scope, chat, run, parsed);
			const warnings = warningsOf(parsed, [result]);
			return { workflowRun: result.run, created: result.created, warnings, bookmark };
		});
	}

	/**
	 * Reports 1 to 100 runs, all of them or nothing; see `PATCH /api/chats/:chatId/workflow-runs`.
	 * @returns the merged runs, each once, and the ids of those that are new
	 */
	async recordWorkflowRuns(
		chatId: string,
		reports: Parameters<Published["recordWorkflowRuns"]>[1],
	): Promise<Reported & { workflowRuns: RunOverRpc[]; created: string[]; truncated?: string[] }> {
		return this.#run("recordWorkflowRuns", async (scope) => {
			const parsed = parse(WorkflowRunReports, reports, "INVALID_BODY");
			const { result, bookmark } = await recordRuns(scope, parseChatId(chatId), parsed.workflowRuns);
			return { ...toRecordedRuns(result), warnings: warningsOf(parsed, result), bookmark };
		});
	}

	/** Writes one log line for each call. Only the log gets a bug's text. Private by `#`, since RPC can call TypeScript's `private`. */
	async #run<T>(method: string, verb: (scope: Scope) => Promise<T>): Promise<T> {
		const scope = scopeOf(this.env, this.ctx);
		const start = Date.now();
		try {
			return await verb(scope);
		} catch (thrown) {
			const error = thrown instanceof ServiceError ? thrown : new ServiceError("INTERNAL_ERROR");
			const { code } = error;
			scope.facts.code = code;
			if (ERRORS[code].status >= 500) logError(scope, { event: "error", code }, error.cause ?? thrown);
			throw Object.assign(new Error(`${code}: ${error.message} (request ${scope.requestId})`), { code });
		} finally {
			logInfo(scope, { event: "rpc", method, milliseconds: Date.now() - start, ...scope.facts });
		}
	}
}

function parseChatId(chatId: unknown): string {
	return parse(Uuid, chatId, "INVALID_CHAT_ID");
}

function parse<T extends z.ZodType>(schema: T, input: unknown, code: ErrorCode): z.output<T> {
	const result = schema.safeParse(input);
	if (result.success) return result.data;
	const [issue] = result.error.issues as [z.core.$ZodIssue];
	throw new ServiceError(code, code === "INVALID_BODY" ? describeIssue(issue) : undefined);
}
