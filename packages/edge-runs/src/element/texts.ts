import type { EndReason } from "../client/state.ts";

/** What is said once nothing more comes. */
export const ENDED: Readonly<Record<EndReason, string>> = {
	session_ended: "You are signed out. Sign in to see the workflow runs.",
	chat_forbidden: "These workflow runs belong to someone else.",
	chat_deleted: "There is no such chat.",
	refused: "The workflow runs cannot be shown.",
	run_ended: "",
	stopped: "",
};
