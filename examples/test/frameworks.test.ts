import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReadToken } from "../../packages/edge-runs/src/recorder/index.ts";
import { ensureDevVars } from "../../scripts/dev/vars.ts";
import { USER } from "../../scripts/seed/rows.ts";
import { hasChromium, launch, visit } from "../../test/browser/chromium.ts";
import { newChat, outline, report } from "../../test/browser/scenes.ts";
import { Site } from "../../test/browser/site.ts";
import { buildFixture, FRAMEWORKS } from "./frameworks.ts";

declare const window: { given: { chats: string[]; getToken: () => Promise<string> } };

describe.skipIf(!hasChromium)("<workflow-runs>", () => {
	let site: Site;
	let browser: Browser;

	beforeAll(async () => {
		site = await Site.start();
		browser = await launch();
	});
	afterAll(async () => {
		await browser.close();
		await site.dispose();
	});

	describe.each(Object.keys(FRAMEWORKS) as (keyof typeof FRAMEWORKS)[])("in %s", (name) => {
		let files: Map<string, string>;
		beforeAll(async () => {
			files = await buildFixture(name);
		});

		/** The fixture with two chats, of one run each. */
		async function open() {
			const runs = [outline("running", 9, [{ name: "Plan", from: 0 }]), outline("failed", 90, [])] as const;
			const chats = [await newChat(site), await newChat(site)] as const;
			await report(site, chats[0], [runs[0]]);
			await report(site, chats[1], [runs[1]]);
			const token = await createReadToken({ secret: ensureDevVars()["READ_TOKEN_SECRET"] ?? "", userId: USER });
			const visited = await visit(browser, site);
			const { page } = visited;
			await page.addInitScript(
				([ids, text]) => {
					window.given = { chats: [...ids], getToken: async () => text };
				},
				[chats, token] as const,
			);
			await page.route("**/app", (route) =>
				route.fulfill({
					contentType: "text/html",
					body: `<!doctype html><title>App</title><div id="app"></div><script type="module" src="/main.js"></script>`,
				}),
			);
			await page.route(
				(url) => files.has(url.pathname),
				(route) => {
					const body = files.get(new URL(route.request().url()).pathname) as string;
					return route.fulfill({ contentType: "text/javascript", body });
				},
			);
			await page.route("**/favicon.ico", (route) => route.fulfill({ body: "" }));
			const byToken = page.waitForRequest(
				(request) => request.url().endsWith("/stream") && "authorization" in request.headers(),
			);
			await page.goto("/app");
			return { ...visited, chats, runs, byToken: await byToken };
		}

		it("shows a chat's runs and tells of the one that is opened, as the document says", async () => {
			const { page, context, complaints, chats, runs } = await open();
			const element = page.locator("#documented workflow-runs");
			await element.locator("#connection.live").waitFor();
			await report(site, chats[0], [
				{ ...outline("completed", 9, [{ name: "Plan", from: 0, to: 5 }]), id: runs[0].id },
			]);
			await element.locator("#runs > .completed").waitFor();
			const said = page.waitForEvent("console", (message) => message.text() === runs[0].id);
			// It is open, as the newest: closed and opened.
			for (let click = 0; click < 2; click++) await element.locator("#runs > li > details > summary").click();
			await said;
			expect(complaints).toEqual([]);
			await context.close();
		});

		it("takes properties and tells by events: another chat, a token's function, its state", async () => {
			const { page, context, complaints, byToken } = await open();
			const element = page.locator("#by-token");
			expect((await byToken.allHeaders())["cookie"]).toBeUndefined();
			await element.locator("#runs > .running").waitFor();
			expect(await element.getAttribute("view")).toBe("compact");
			await expect.poll(() => page.locator("#state").innerText()).toBe("live");
			await page.getByRole("button", { name: "Other chat" }).click();
			await element.locator("#runs > .failed").waitFor();
			expect(await element.locator("#runs > li").count()).toBe(1);
			const closed = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/stream"));
			await page.getByRole("button", { name: "Take away" }).click();
			await closed;
			expect(complaints).toEqual([]);
			await context.close();
		});
	});
});
