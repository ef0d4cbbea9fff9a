import path from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { cssText } from "../../packages/edge-runs/css-text.ts";
import { readCookieJar } from "../../scripts/sign-in.ts";
import { closeWindows, hasChromium, sharedBrowser, visit } from "./chromium.ts";
import { App, type View } from "./fixtures/react-app.tsx";
import { newChat, outline, report } from "./scenes.ts";
import { originOf, type SiteAddress } from "./site.ts";

const packageFolder = path.join(import.meta.dirname, "../../packages/edge-runs");

declare const window: {
	renders: Record<string, number>;
	arrive(): void;
	show(view: View): void;
	hydrate(view: View): void;
};

describe.skipIf(!hasChromium)("the React hooks", () => {
	let site: SiteAddress;
	let browser: Browser;
	let script: string;

	beforeAll(async () => {
		site = inject("site");
		browser = await sharedBrowser();
		const { outputFiles } = await build({
			entryPoints: [path.join(import.meta.dirname, "fixtures/react-main.tsx")],
			bundle: true,
			format: "esm",
			write: false,
			alias: { "hono/jsx/jsx-runtime": path.join(packageFolder, "src/timeline/browser/jsx-runtime.ts") },
			plugins: [cssText],
			// React's own checks, of hydration and of Strict Mode, are in the build for development.
			define: { "process.env.NODE_ENV": '"development"' },
		});
		script = outputFiles[0]?.text as string;
	});
	afterAll(() => closeWindows(browser));

	/** The app on a page of the site's own, and the streams that it opens. */
	async function open({ signedIn = true, html = "" } = {}) {
		const visited = await visit(browser, site, { signedIn });
		const streams = { opened: 0, open: 0 };
		const isStream = (url: string) => url.endsWith("/stream");
		visited.page.on("request", (request) => {
			if (!isStream(request.url())) return;
			streams.opened += 1;
			streams.open += 1;
		});
		for (const ended of ["requestfailed", "requestfinished"] as const) {
			visited.page.on(ended as "requestfailed", (request) => {
				if (isStream(request.url())) streams.open -= 1;
			});
		}
		await visited.page.route("**/react-app", (route) =>
			route.fulfill({
				contentType: "text/html",
				body: `<!doctype html><title>App</title><div id="root">${html}</div><script type="module" src="/react-app.js"></script>`,
			}),
		);
		await visited.page.route("**/react-app.js", (route) =>
			route.fulfill({ contentType: "text/javascript", body: script }),
		);
		await visited.page.route("**/favicon.ico", (route) => route.fulfill({ body: "" }));
		await visited.page.goto("/react-app");
		const show = (view: View) => visited.page.evaluate((shown) => window.show(shown), view);
		return { ...visited, streams, show };
	}

	/** How often each was rendered since it was asked last. */
	const rendered = (page: Page) =>
		page.evaluate(() => {
			const seen = { ...window.renders };
			for (const name of Object.keys(window.renders)) delete window.renders[name];
			return seen;
		});

	it("share one connection, in Strict Mode too, and render only what changes", async () => {
		const chat = await newChat(site);
		const [first, second] = [outline("running", 9, []), outline("running", 5, [])];
		await report(site, chat, [first, second]);
		const { page, context, complaints, streams, show } = await open();
		await show({ lists: [{ chat }, { chat, status: ["running"] }, { chat: null }], one: { chat, run: second.id } });
		await page.waitForFunction(() => document.querySelector("#one")?.textContent === "running");
		expect(await page.locator("li").count()).toBe(4);
		expect(await page.locator(".list.live").count()).toBe(2);

		await rendered(page);
		await report(site, chat, [{ ...outline("completed", 9, []), id: first.id }]);
		await page.waitForFunction(() => document.querySelectorAll("li").length === 3);
		const again = await rendered(page);
		// By Strict Mode each is rendered twice.
		expect(again).toEqual({ [first.id]: 2 });
		expect(streams).toEqual({ opened: 1, open: 1 });
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("keep the connection from one component to the next, and close it behind the last", async () => {
		const chat = await newChat(site);
		const run = outline("running", 5, []);
		await report(site, chat, [run]);
		const { page, context, streams, show } = await open();
		await show({ lists: [{ chat }] });
		await page.waitForSelector("li");
		await show({ lists: [], one: { chat, run: run.id } });
		await page.waitForFunction(() => document.querySelector("#one")?.textContent === "running");
		expect(streams).toEqual({ opened: 1, open: 1 });
		await show({ lists: [] });
		await expect.poll(() => streams.open).toBe(0);
		await show({ lists: [{ chat }] });
		await page.waitForSelector("li");
		expect(streams).toEqual({ opened: 2, open: 1 });
		await context.close();
	});

	it("keep nothing open for what waits under Suspense, and go on with one connection when it shows", async () => {
		const chat = await newChat(site);
		await report(site, chat, [outline("running", 9, [])]);
		const { page, context, complaints, streams, show } = await open();
		await show({ lists: [], late: { chat } });
		await page.waitForSelector("#fallback");
		expect(streams.opened).toBe(0);
		await page.evaluate(() => window.arrive());
		await page.waitForFunction(() => document.querySelector("#late")?.textContent === "1");
		expect(await page.locator("li").count()).toBe(1);
		expect(streams).toEqual({ opened: 1, open: 1 });
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("count the user's active runs, with one question for all badges", async () => {
		const chat = await newChat(site);
		const run = outline("running", 5, []);
		await report(site, chat, [run]);
		const { page, context, complaints, show } = await open({ signedIn: false });
		let asked = 0;
		page.on("request", (request) => {
			if (request.url().endsWith("/api/workflow-runs/active")) asked += 1;
		});
		const badges = () => page.locator(".badge").allInnerTexts();
		await show({ lists: [], badges: 2 });
		await expect.poll(badges).toEqual(["error", "error"]);
		await context.addCookies([{ ...readCookieJar(site.cookieJar), url: originOf(site), httpOnly: true }]);
		await page.locator(".badge").first().click();
		await expect.poll(async () => Number((await badges())[0])).toBeGreaterThan(0);
		const before = Number((await badges())[0]);
		expect([await badges(), asked]).toEqual([[`${before}`, `${before}`], 2]);
		await report(site, chat, [{ ...outline("completed", 5, []), id: run.id }]);
		await page.locator(".badge").last().click();
		await expect.poll(badges).toEqual([`${before - 1}`, `${before - 1}`]);
		expect(complaints.filter((complaint) => !complaint.includes("401"))).toEqual([]);
		await context.close();
	});

	it("give the refusal's code, and try again when they are told to", async () => {
		const chat = await newChat(site);
		await report(site, chat, [outline("running", 5, [])]);
		const { page, context, show } = await open({ signedIn: false });
		await show({ lists: [{ chat }] });
		await page.waitForSelector("[role=alert]");
		expect(await page.locator("[role=alert]").innerText()).toBe("INVALID_SESSION");
		await context.addCookies([{ ...readCookieJar(site.cookieJar), url: originOf(site), httpOnly: true }]);
		await page.locator("button").click();
		await page.waitForSelector(".list.live li");
		expect(await page.locator("[role=alert]").count()).toBe(0);
		await context.close();
	});

	it("give the code of an id that is not one, and ask for nothing", async () => {
		const { page, context, streams, show } = await open();
		await show({ lists: [{ chat: "../../x" }] });
		await page.waitForSelector("[role=alert]");
		expect(await page.locator("[role=alert]").innerText()).toBe("INVALID_CHAT_ID");
		expect(streams.opened).toBe(0);
		await context.close();
	});

	it("render on a server without asking for anything, and go on from that in the browser", async () => {
		const chat = await newChat(site);
		const run = outline("running", 5, []);
		await report(site, chat, [run]);
		const view = { lists: [{ chat }], one: { chat, run: run.id } };
		const html = renderToString(createElement(App, view));
		expect(html).toContain('<p id="one">loading</p>');
		const { page, context, complaints, streams } = await open({ html });
		await page.evaluate((shown) => window.hydrate(shown), view);
		await page.waitForSelector(".list.live li");
		expect(streams).toEqual({ opened: 1, open: 1 });
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("share their connection with <WorkflowRuns>, which tells of the run that is opened", async () => {
		const chat = await newChat(site);
		const run = outline("running", 5, [{ name: "Plan", from: 0 }]);
		await report(site, chat, [run, outline("completed", 90, [])]);
		const { page, context, complaints, streams, show } = await open();
		await show({ lists: [{ chat }], timeline: { chat } });
		const timeline = page.locator("workflow-runs");
		await timeline.locator("#connection.live").waitFor();
		await expect.poll(() => timeline.locator("#runs > li").count()).toBe(2);
		await timeline.locator("#runs > .completed > details > summary").click();
		await page.waitForFunction(() => document.querySelector("#selected")?.textContent === "completed");
		await report(site, chat, [{ ...outline("failed", 5, []), id: run.id }]);
		await timeline.locator("#runs > .failed").waitFor();
		expect(streams).toEqual({ opened: 1, open: 1 });
		await show({ lists: [] });
		await expect.poll(() => streams.open).toBe(0);
		expect(complaints).toEqual([]);
		await context.close();
	});
});
