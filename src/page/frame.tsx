import type { Child } from "hono/jsx";
import { shortId } from "#timeline/ids.ts";
import { Document } from "./document.tsx";

interface Props {
	readonly chatId: string;
	readonly title: string;
	/** The same data for programs. */
	readonly json: string;
	/** The chat's page, where this is another one. */
	readonly back?: string;
	/** Milliseconds since the epoch. */
	readonly now: number;
	/** The run that the page is about, if it is about one. */
	readonly run?: string;
	readonly children: Child;
}

/** What all pages of a chat have around what they show. */
export function Frame({ chatId, title, json, back, now, run, children }: Props) {
	return (
		<Document title={title} live>
			<header class="bar">
				<h1 dir="auto">{title}</h1>
				<span class="chat" title={chatId}>
					Chat {shortId(chatId)}
				</span>
				<p id="connection" role="status" hidden />
				<nav aria-label="Elsewhere">
					{back && <a href={back}>All runs</a>} <a href={json}>JSON</a> <a href="/docs">API</a>
				</nav>
			</header>
			<main id="main" data-now={now} data-run={run}>
				<noscript>
					<p class="notice">Without JavaScript this page stays as it is. Reload it to see what changed.</p>
				</noscript>
				<p id="ended" class="notice" role="alert" hidden />
				{children}
			</main>
		</Document>
	);
}
