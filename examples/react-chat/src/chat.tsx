import type { WorkflowRunsElement } from "edge-runs/element";
import { useActiveRuns, useWorkflowRuns, WorkflowRuns } from "edge-runs/react";
import { useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { auth } from "./auth.ts";
import { Composer } from "./composer.tsx";
import { Progress } from "./progress.tsx";
import { useConversation } from "./use-conversation.ts";

/** The conversation, with the agent's runs beside it. */
export function Chat({ userName }: { userName: string }) {
	const { chatId, messages, send, error } = useConversation();
	const { runs } = useWorkflowRuns(chatId);
	const { count } = useActiveRuns();
	const [showsRuns, setShowsRuns] = useState(false);
	const timeline = useRef<WorkflowRunsElement>(null);

	const list = useRef<HTMLOListElement>(null);
	useEffect(() => {
		list.current?.scrollTo(0, list.current.scrollHeight);
	}, [messages.length]);

	function open(runId: string) {
		// First into sight, then opened: what does not show cannot be scrolled to.
		flushSync(() => setShowsRuns(true));
		timeline.current?.open(runId);
	}

	return (
		<div className="chat">
			<header>
				<h1>Chat</h1>
				<p>{userName}</p>
				{/* On a phone the runs are behind this button. */}
				<button type="button" aria-expanded={showsRuns} aria-controls="runs" onClick={() => setShowsRuns(!showsRuns)}>
					Runs{count ? ` (${count} active)` : ""}
				</button>
				<button type="button" onClick={() => auth.signOut()}>
					Sign out
				</button>
			</header>
			<main>
				<ol ref={list} className="messages" aria-label="Conversation" aria-live="polite">
					{messages.map(({ id, from, text, failed }) => (
						<li key={id} className={failed ? "agent failed" : from}>
							<p>{text}</p>
							{from === "user" && <Progress run={runs.find((run) => run.messageId === id)} onOpen={open} />}
						</li>
					))}
				</ol>
				<p role="alert">{error}</p>
				<Composer onSend={send} />
			</main>
			<aside id="runs" className={showsRuns ? "shown" : ""} aria-label="The agent's runs">
				<WorkflowRuns ref={timeline} chatId={chatId} view="compact" />
			</aside>
		</div>
	);
}
