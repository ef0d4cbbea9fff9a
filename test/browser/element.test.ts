import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { parseEnv } from "node:util";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import type { Browser, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { WorkflowRunsElement } from "../../packages/edge-runs/src/element/index.ts";
import { createReadToken } from "../../packages/edge-runs/src/recorder/index.ts";
import { CHATS } from "../../scripts/seed/chats.ts";
import { USER } from "../../scripts/seed/rows.ts";
import { readCookieJar } from "../../scripts/sign-in.ts";
import { readText, root } from "../node/dev-server.ts";
import { closeWindows, hasChromium, sharedBrowser, visit } from "./chromium.ts";
import { newChat, outline, report, workingDay } from "./scenes.ts";
import { originOf, type SiteAddress } from "./site.ts";

/** As strict as a page can be: nothing inline, and no stylesheet at all. */
const POLICY =
	"default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'";

type Options = NonNullable<Parameters<typeof visit>[2]>;

describe.skipIf(!hasChromium)("<workflow-runs>", () => {
	let site: SiteAddress;
	let browser: Browser;
	let day: string;

	beforeAll(async () => {
		site = inject("site");
		browser = await sharedBrowser();
		day = await newChat(site);
		await report(site, day, workingDay());
	});
	afterAll(() => closeWindows(browser));

	/**
	 * A page of plain HTML with one script tag, and the element in it.
	 * @param script of the page's own, behind the element's
	 */
	async function embed(attributes: string, options: Options = {}, script = "") {
		const visited = await visit(browser, site, options);
		const { page } = visited;
		const streams: Request[] = [];
		page.on("request", (request) => {
			if (request.url().endsWith("/stream")) streams.push(request);
		});
		await page.route("**/embed", (route) =>
			route.fulfill({
				contentType: "text/html",
				headers: { "content-security-policy": POLICY },
				body: `<!doctype html><html lang="en"><title>App</title><meta name="color-scheme" content="light dark">
					<main><h1>App</h1><workflow-runs ${attributes}></workflow-runs></main>
					<script type="module" src="/element.js"></script><script type="module" src="/page.js"></script></html>`,
			}),
		);
		await page.route("**/page.js", (route) => route.fulfill({ contentType: "text/javascript", body: script }));
		await page.route("**/favicon.ico", (route) => route.fulfill({ body: "" }));
		await page.goto("/embed");
		return { ...visited, streams, element: page.locator("workflow-runs") };
	}

	it("shows a chat's runs by one script tag, styled, under a policy without unsafe-inline, and follows them", async () => {
		const chat = await newChat(site);
		const run = outline("running", 20, [{ name: "Plan", from: 0 }]);
		await report(site, chat, [run]);
		const { page, context, complaints, element } = await embed(`src="/" chat="${chat}"`);
		await element.locator("#connection.live").waitFor();
		await expect.poll(() => element.locator("#runs > li").count()).toBe(1);
		expect(
			await element
				.locator("#runs > .running .icon")
				.first()
				.evaluate((icon) => icon.clientWidth),
		).toBe(16);
		const ended = outline("completed", 20, [{ name: "Plan", from: 0, to: 15 }]);
		await report(site, chat, [{ ...ended, id: run.id }]);
		await element.locator("#runs > .completed").waitFor();
		expect(await page.evaluate(() => document.querySelector("workflow-runs")?.shadowRoot?.querySelector("style"))).toBe(
			null,
		);
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("draws what the page draws", async () => {
		const { page, context, element } = await embed(`src="/" chat="${CHATS.everyStatus}"`);
		await element.locator("#connection.live").waitFor();
		const summaries = "#runs > li > details > summary";
		// Time goes on meanwhile: for all of them since their start, and for the one that runs until now.
		const texts = (all: Element[]) =>
			all.map((each) => {
				const text = each.textContent?.replace(/\d+ (second|minute)s? ago/, "…");
				return each.closest(".running") ? text?.replace(/[\d hms.]+$/, "…") : text;
			});
		await expect.poll(() => element.locator(summaries).count()).toBe(5);
		const embedded = await element.locator(summaries).evaluateAll(texts);
		await page.goto(`/chats/${CHATS.everyStatus}`);
		expect(await page.locator(summaries).evaluateAll(texts)).toEqual(embedded);
		await context.close();
	});

	it("filters, finds and opens by keyboard, and tells the page of the run that was opened", async () => {
		const { page, context, element } = await embed(`src="/" chat="${day}"`);
		await element.locator("#connection.live").waitFor();
		await page.evaluate(() => {
			document.addEventListener("select", (event) => {
				document.title = `${(event as CustomEvent).detail.run.status}`;
			});
		});
		const failed = element.getByRole("button", { name: "Failed 1" });
		await failed.focus();
		await page.keyboard.press("Enter");
		await expect.poll(() => element.locator("#runs > li").count()).toBe(1);
		expect(await failed.getAttribute("aria-pressed")).toBe("true");
		await page.keyboard.press("/");
		await page.keyboard.type("nothing of this");
		await element.getByRole("button", { name: "Show all runs" }).click();
		await expect.poll(() => element.locator("#runs > li").count()).toBe(8);
		await element.locator("#runs > .failed > details > summary").focus();
		await page.keyboard.press("Enter");
		await expect.poll(() => page.title()).toBe("failed");
		await expect.poll(() => element.locator("#runs > .failed .steps li").count()).toBe(5);
		await context.close();
	});

	it.each(["light", "dark"] as const)("axe finds nothing, in %s colours, full and compact", async (colorScheme) => {
		for (const view of ["full", "compact"]) {
			const { page, context, element } = await embed(`src="/" chat="${day}" view="${view}"`, { colorScheme });
			await element.locator("#connection.live").waitFor();
			await expect.poll(() => element.locator("#runs > li").count()).toBe(8);
			await element.locator("#runs > li > details").evaluateAll((all) => {
				for (const details of all) details.setAttribute("open", "");
			});
			await expect.poll(() => element.locator("[data-not-drawn]").count()).toBe(0);
			// Axe does not see the canvas's own colour.
			await page.evaluate(() => {
				const sheet = new CSSStyleSheet();
				sheet.replaceSync("html { color-scheme: light dark; background: Canvas; color: CanvasText }");
				document.adoptedStyleSheets = [sheet];
			});
			await page.evaluate(axe.source);
			const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
			expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
			await context.close();
		}
	});

	it("is as light or dark as the page is, whatever the system is, unless it is told otherwise", async () => {
		const { page, context, element } = await embed(`src="/" chat="${day}"`, { colorScheme: "dark" });
		await element.locator("#connection.live").waitFor();
		const text = () => element.evaluate((it) => getComputedStyle(it).color);
		const setPage = (scheme: string) =>
			page.evaluate((to) => {
				document.querySelector("meta[name=color-scheme]")?.setAttribute("content", to);
			}, scheme);
		expect(await text()).toBe("rgb(231, 233, 238)");
		await setPage("light");
		expect(await text()).toBe("rgb(23, 26, 33)");
		await element.evaluate((it) => it.setAttribute("theme", "dark"));
		expect(await text()).toBe("rgb(231, 233, 238)");
		await context.close();
	});

	it("looks the same in whatever text it stands", async () => {
		const { page, context, element } = await embed(`src="/" chat="${day}"`);
		await expect.poll(() => element.locator("#runs > li").count()).toBe(8);
		await element.locator("#runs > .failed > details > summary").click();
		await expect.poll(() => element.locator("#runs > .failed .steps li").count()).toBe(5);
		// Of all but the bars of the run that goes on.
		const boxes = () =>
			element.evaluate((it) =>
				[...(it.shadowRoot?.querySelectorAll("#runs > li:not(.running) *, .head *, .toolbar *") ?? [])].map((each) => {
					const { left, width, height } = each.getBoundingClientRect();
					return [each.tagName, left, width, height];
				}),
			);
		const before = await boxes();
		await page.evaluate(() => {
			const sheet = new CSSStyleSheet();
			sheet.replaceSync(`main { text-align: center; text-indent: 2em; text-transform: uppercase;
				letter-spacing: 0.2em; word-spacing: 1em; white-space: pre; word-break: break-all; hyphens: auto;
				font: italic 700 30px/3 serif; text-shadow: 1px 1px red; cursor: pointer }`);
			document.adoptedStyleSheets = [sheet];
		});
		expect(await boxes()).toEqual(before);
		expect(before.length).toBeGreaterThan(100);
		await context.close();
	});

	it("has a width where its place has none, and fits into a narrow one", async () => {
		const { page, context, element } = await embed(`src="/" chat="${day}"`);
		await element.locator("#connection").waitFor();
		const widths = await page.evaluate(() => {
			const sheet = new CSSStyleSheet();
			document.adoptedStyleSheets = [sheet];
			const element = document.querySelector("workflow-runs") as WorkflowRunsElement;
			const widthIn = (style: string, view: "full" | "compact") => {
				sheet.replaceSync(`h1 { display: none } main { ${style} }`);
				element.view = view;
				return element.getBoundingClientRect().width;
			};
			return [
				widthIn("display: flex", "full"),
				widthIn("display: flex", "compact"),
				widthIn("display: flex; width: 300px", "full"),
				widthIn("display: grid; place-items: center; width: 300px", "full"),
			];
		});
		expect(widths).toEqual([640, 360, 300, 300]);
		await context.close();
	});

	it("takes the page's custom properties and parts", async () => {
		const { page, context, element } = await embed(`src="/" chat="${day}"`);
		await element.locator("#runs > li").first().waitFor();
		const looks = await page.evaluate(() => {
			const sheet = new CSSStyleSheet();
			sheet.replaceSync(
				"workflow-runs { --edge-runs-surface: rgb(1, 2, 3) } workflow-runs::part(title) { color: rgb(4, 5, 6) }",
			);
			document.adoptedStyleSheets = [sheet];
			const shadow = document.querySelector("workflow-runs")?.shadowRoot;
			const run = shadow?.querySelector("#runs > li") as Element;
			const title = shadow?.querySelector("h2") as Element;
			return [getComputedStyle(run).backgroundColor, getComputedStyle(title).color];
		});
		expect(looks).toEqual(["rgb(1, 2, 3)", "rgb(4, 5, 6)"]);
		await context.close();
	});

	it("says that one is signed out, and goes on after a sign-in", async () => {
		const { context, element } = await embed(`src="/" chat="${day}"`, { signedIn: false });
		await element.locator("#ended:not([hidden])").waitFor();
		expect(await element.locator("#ended").innerText()).toContain("You are signed out");
		await context.addCookies([{ ...readCookieJar(site.cookieJar), url: originOf(site), httpOnly: true }]);
		await element.getByRole("button", { name: "Try again" }).click();
		await element.locator("#connection.live").waitFor();
		expect(await element.locator("#ended").isVisible()).toBe(false);
		await expect.poll(() => element.locator("#runs > li").count()).toBe(8);
		await context.close();
	});

	it.each([
		["another user's", () => CHATS.anotherUsers, "belong to someone else"],
		["a deleted", () => CHATS.deleted, "There is no such chat"],
		["a wrong", () => "../../x", "cannot be shown"],
	])("says so of %s chat", async (_, chat, text) => {
		const { context, element } = await embed(`src="/" chat="${chat()}" dir="rtl"`);
		await element.locator("#ended:not([hidden])").waitFor();
		expect(await element.locator("#ended").innerText()).toContain(text);
		// It is English, whatever the page around it is.
		expect(await element.locator("#ended").evaluate((it) => getComputedStyle(it).direction)).toBe("ltr");
		await context.close();
	});

	it("says that the device is offline, and comes back", async () => {
		const { context, element } = await embed(`src="/" chat="${day}"`);
		await element.locator("#connection.live").waitFor();
		await context.setOffline(true);
		await expect.poll(() => element.locator("#connection").innerText()).toBe("Offline");
		await context.setOffline(false);
		await element.locator("#connection.live").waitFor();
		await context.close();
	});

	function readToken() {
		const secret = parseEnv(readText(".dev.vars"))["READ_TOKEN_SECRET"] as string;
		return createReadToken({ secret, userId: USER, chatId: day });
	}

	it.each([
		["in the same task as its chat", "data-chat", (set: string) => `element.chat = element.dataset.chat; ${set}`],
		["by a script behind its own", "chat", (set: string) => set],
		["once the document is parsed", "chat", (set: string) => `addEventListener("DOMContentLoaded", () => { ${set} })`],
	])("connects once, with a token, where it is told %s where tokens come from", async (_, attribute, script) => {
		const set = `element.getToken = async () => ${JSON.stringify(await readToken())};`;
		const page = `const element = document.querySelector("workflow-runs"); ${script(set)}`;
		const { context, element, streams } = await embed(`${attribute}="${day}"`, { signedIn: false }, page);
		await element.locator("#connection.live").waitFor();
		expect(streams.map((request) => "authorization" in request.headers())).toEqual([true]);
		await context.close();
	});

	it("goes on where it is only moved, or is given another function for tokens", async () => {
		const script = `const element = document.querySelector("workflow-runs");
			const render = () => { element.getToken = async () => ${JSON.stringify(await readToken())}; };
			element.addEventListener("state", () => setTimeout(render));
			render();`;
		const { page, context, element, streams } = await embed(`chat="${day}"`, { signedIn: false }, script);
		await element.locator("#connection.live").waitFor();
		await element.locator("#search").fill("transcribe");
		await expect.poll(() => element.locator("#runs > li").count()).toBe(2);
		await page.evaluate(async () => {
			document.querySelector("h1")?.before(document.querySelector("workflow-runs") as Element);
			await new Promise((resolve) => setTimeout(resolve, 50));
		});
		expect(await element.locator("#runs > li").count()).toBe(2);
		expect(streams.length).toBe(1);
		await context.close();
	});

	it("begins anew with its first token, and without its last", async () => {
		const { context, element, streams } = await embed(`chat="${day}"`);
		await element.locator("#connection.live").waitFor();
		await context.clearCookies();
		const set = (token: string | null) => element.evaluate((it, given) => Object.assign(it, { token: given }), token);
		await set(await readToken());
		await expect.poll(() => streams.length).toBe(2);
		await element.locator("#connection.live").waitFor();
		await set(null);
		await element.locator("#ended:not([hidden])").waitFor();
		expect(streams.map((request) => "authorization" in request.headers())).toEqual([false, true, false]);
		await context.close();
	});

	it("reads by a token that it asks for, without any cookie, and asks again for one that was refused", async () => {
		const token = await readToken();
		const { page, context, element } = await embed(`src="/"`);
		const asked = page.waitForRequest("**/stream");
		await page.evaluate(
			([chat, good]) => {
				const element = document.querySelector("workflow-runs") as WorkflowRunsElement;
				element.getToken = async (refused) => (refused === undefined ? "not.a.token" : good);
				element.chat = chat;
			},
			[day, token] as const,
		);
		expect((await (await asked).allHeaders())["cookie"]).toBeUndefined();
		await element.locator("#connection.live").waitFor();
		await expect.poll(() => element.locator("#runs > li").count()).toBe(8);
		await context.close();
	});

	it("shows runs from elsewhere, and offers to try again only what can be tried again", async () => {
		const { page, context, element, streams } = await embed(`src="/"`);
		const buttons = () => element.locator("#ended:not([hidden])").getByRole("button").count();
		const give = (canRetry: boolean) =>
			element.evaluate((it, retry) => {
				const error = { name: "EdgeRunsError", code: "INVALID_SESSION", status: 401 };
				const state = { status: "ended", reason: "session_ended", message: "", error };
				const source = { runs: [], isLoaded: true, state, subscribe: () => () => {} };
				Object.assign(it, { source: retry ? { ...source, retry: () => document.body.append("retried") } : source });
			}, canRetry);
		await give(false);
		await element.locator("#ended:not([hidden])").waitFor();
		await element.locator("#below h2").waitFor();
		expect(await buttons()).toBe(0);
		await give(true);
		await element.getByRole("button", { name: "Try again" }).click();
		expect(await page.locator("body").innerText()).toContain("retried");
		expect(streams).toEqual([]);
		await context.close();
	});

	it("follows another chat when it is told to, and lets go when it is taken away", async () => {
		const other = await newChat(site);
		const { page, context, element } = await embed(`src="/" chat="${day}"`);
		await element.locator("#connection.live").waitFor();
		const closed = () => page.waitForEvent("requestfailed", (request) => request.url().endsWith("/stream"));
		const first = closed();
		await element.evaluate((it, chat) => it.setAttribute("chat", chat), other);
		expect((await first).url()).toContain(day);
		await element.locator("#below h2").waitFor();
		const second = closed();
		await element.evaluate((it) => it.remove());
		expect((await second).url()).toContain(other);
		await context.close();
	});

	it.each(["type=module", ""])(
		"loads on a page of another site (%s), and says that the service does not let it in",
		async (type) => {
			const app = createServer((_, response) => {
				response.setHeader("content-type", "text/html");
				response.end(`<!doctype html><script ${type} src="${originOf(site)}/element.js"></script>
				<workflow-runs src="${originOf(site)}" chat="${day}"></workflow-runs>`);
			}).listen(0);
			const { page, context } = await visit(browser, site);
			await page.goto(`http://localhost:${(app.address() as AddressInfo).port}/`);
			const line = page.locator("workflow-runs #connection");
			await line.and(page.locator(".reconnecting")).waitFor();
			expect(await line.getAttribute("title")).toBe("The service does not answer");
			await context.close();
			app.close();
		},
	);
});

describe.skipIf(!hasChromium)("the element's script", () => {
	const { version } = JSON.parse(readFileSync(path.join(root, "packages/edge-runs/package.json"), "utf8")) as {
		version: string;
	};

	it("is kept for good under its version, shortly without, and is for any site", async () => {
		const [latest, versioned] = await Promise.all(
			["element.js", `element-${version}.js`].map(async (name) => {
				const response = await fetch(`${originOf(inject("site"))}/${name}`);
				const { status, headers } = response;
				const shown = ["cache-control", "access-control-allow-origin", "cross-origin-resource-policy"];
				return { status, headers: shown.map((each) => headers.get(each)), text: await response.text() };
			}),
		);
		expect(latest).toMatchObject({
			status: 200,
			headers: ["public, max-age=300, stale-while-revalidate=86400", "*", null],
		});
		expect(versioned).toMatchObject({ status: 200, headers: ["public, max-age=31536000, immutable", "*", null] });
		expect(versioned?.text).toBe(latest?.text);
	});

	it("is at most 20 KB, gzipped", async () => {
		const response = await fetch(`${originOf(inject("site"))}/element.js`);
		expect(gzipSync(await response.text(), { level: 9 }).length).toBeLessThan(20 * 1024);
	});
});
