import type { Child } from "hono/jsx";
import { StatusShapes } from "#timeline/status.tsx";

/** A whole HTML page. Script and style are static assets: nothing is inline, and nothing comes from another host. */
export function Document({ title, live, children }: { title: string; live?: boolean; children: Child }) {
	return (
		<html lang="en">
			<head>
				<meta charset="utf-8" />
				<meta name="viewport" content="width=device-width, initial-scale=1" />
				<meta name="color-scheme" content="light dark" />
				<meta name="robots" content="noindex" />
				<title>{title}</title>
				<link rel="icon" href="/favicon.svg" type="image/svg+xml" />
				<link rel="stylesheet" href="/page.css" />
				{live && <script type="module" src="/page.js" />}
			</head>
			<body>
				<StatusShapes />
				{children}
			</body>
		</html>
	);
}

/** The document as text, as it is sent. */
export function toHtml(document: Child): string {
	return `<!doctype html>${String(document)}`;
}
