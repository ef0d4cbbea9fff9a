import { createHook, FatalError, sleep } from "workflow";

/** Workflows as one writes them with the Workflow SDK; the plugin finds them by their directives. */

export async function research(topic: string) {
	"use workflow";
	const pages = await fetchPages(topic);
	await sleep(1);
	const parts = await Promise.all([summarise(pages, 1), summarise(pages, 2)]);
	return parts.join(" ");
}

export async function retried(key: string) {
	"use workflow";
	return flaky(key);
}

export async function breaks() {
	"use workflow";
	await fetchPages("nothing");
	return broken();
}

export async function asks(token: string) {
	"use workflow";
	const hook = createHook<string>({ token });
	return await hook;
}

export async function sleeps() {
	"use workflow";
	await sleep("1h");
}

async function fetchPages(topic: string) {
	"use step";
	return [`${topic}.html`];
}

async function summarise(pages: string[], part: number) {
	"use step";
	return `${part} of ${pages.length}`;
}

const tried = new Map<string, number>();

async function flaky(key: string) {
	"use step";
	const attempt = (tried.get(key) ?? 0) + 1;
	tried.set(key, attempt);
	if (attempt < 3) throw new Error(`no luck in attempt ${attempt}`);
	return attempt;
}

async function broken() {
	"use step";
	throw new FatalError("it broke");
}
