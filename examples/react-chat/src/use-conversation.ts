import { useWorkflowRuns } from "edge-runs/react";
import { useCallback, useEffect, useState } from "react";
import type { Message } from "./message.ts";

interface Conversation {
	readonly chatId: string | null;
	readonly messages: readonly Message[];
}

/** The user's chat, from the app's own server. */
export function useConversation() {
	const [{ chatId, messages }, setConversation] = useState<Conversation>({ chatId: null, messages: [] });
	const [error, setError] = useState("");

	const load = useCallback(async () => {
		const answer = await fetch("/api/chat").catch(() => null);
		if (!answer?.ok) return setError("The chat cannot be loaded. Please try again.");
		const loaded: Conversation = await answer.json();
		// Messages only grow. An answer that was overtaken by a newer one changes nothing.
		setConversation((shown) => (loaded.messages.length < shown.messages.length ? shown : loaded));
	}, []);

	// A run that begins or ends, here or in another tab, means that there is a new message.
	const { runs } = useWorkflowRuns(chatId);
	const ended = runs.filter((run) => run.completedAt !== null).length;
	useEffect(() => void load(), [load, runs.length, ended]);

	async function send(text: string) {
		const message: Message = { id: crypto.randomUUID(), from: "user", text };
		setConversation((shown) => ({ ...shown, messages: [...shown.messages, message] }));
		setError("");
		const headers = { "content-type": "application/json" };
		const init = { method: "POST", headers, body: JSON.stringify(message) };
		const answer = await fetch("/api/chat/messages", init).catch(() => null);
		if (answer?.ok) return load();
		setError("The message was not sent. Please try again.");
		setConversation((shown) => ({ ...shown, messages: shown.messages.filter(({ id }) => id !== message.id) }));
	}

	return { chatId, messages, send, error };
}
