import { randomUUID } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CHATS } from "../../scripts/seed/chats.ts";
import { closeWindows, hasChromium, sharedBrowser, visit } from "./chromium.ts";
import { newChat, outline, report, workingDay } from "./scenes.ts";
import { originOf, type SiteAddress } from "./site.ts";

describe.skipIf(!hasChromium)("the page", () => {
	let site: SiteAddress;
	let browser: Browser;

	beforeAll(async () => {
		site = inject("site");
		browser = await sharedBrowser();
	});
	afterAll(() => closeWindows(browser));

	it("shows a run in every status: by word, by shape and by colour", async () => {
		const { page, context, complaints } = await visit(browser, site);
		await page.goto(`/chats/${CHATS.everyStatus}`);
		await page.waitForSelector("#connection.live");
		const runs = page.locator("#runs > li");
		const looks = await runs.evaluateAll((elements) =>
			elements.map((element) => ({
				word: element.querySelector("summary .status")?.textContent,
				shape: element.querySelector("summary use")?.getAttribute("href"),
				colour: getComputedStyle(element.querySelector("summary .status") as Element).color,
			})),
		);
		expect(looks.map(({ word }) => word)).toEqual(["Pending", "Running", "Failed", "Cancelled", "Completed"]);
		expect(new Set(looks.map(({ shape }) => shape)).size).toBe(5);
		expect(new Set(looks.map(({ colour }) => colour)).size).toBeGreaterThanOrEqual(4);

		const failed = runs.nth(2);
		expect(await failed.locator("summary .error").innerText()).toContain("The model did not answer within 30 s");
		await failed.locator("> details > summary").click();
		expect(await failed.locator(".inside > .error").innerText()).toBe('Step "Summarise" failed');
		expect(await failed.locator(".steps .error").innerText()).toBe("The model did not answer within 30 s");
		expect(await failed.locator("summary .duration").innerText()).toBe("41 s");
		const time = failed.locator("summary time");
		expect(await time.innerText()).toMatch(/^1\d minutes ago$/);
		const exact = new Date((await time.getAttribute("title"))?.replace(" UTC", "Z") ?? "").toISOString();
		expect(exact).toBe(await time.getAttribute("datetime"));
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("opens, signed in, by the link that npm run dev prints", async () => {
		const { page, context } = await visit(browser, site, { signedIn: false });
		const response = await page.goto(site.signInLink);
		expect([response?.status(), page.url()]).toEqual([200, `${originOf(site)}/chats/${CHATS.everyStatus}`]);
		expect(await page.locator("#runs > li").count()).toBe(5);
		await context.close();
	});

	it("shows what ran side by side, and what took long", async () => {
		const chat = await newChat(site);
		const steps = [
			{ name: "Fetch", from: 0, to: 10 },
			{ name: "Left", from: 10, to: 100 },
			{ name: "Right", from: 10, to: 55 },
		];
		await report(site, chat, [outline("completed", 600, steps)]);
		const { page, context } = await visit(browser, site);
		await page.goto(`/chats/${chat}`);
		const bars = await page
			.locator(".track rect")
			.evaluateAll((rects) => rects.map((rect) => [rect.getAttribute("x"), rect.getAttribute("width")]));
		expect(bars).toEqual([
			["0%", "10%"],
			["10%", "90%"],
			["10%", "45%"],
		]);
		await context.close();
	});

	it("is complete without JavaScript, filters and details too", async () => {
		const { page, context, complaints } = await visit(browser, site, { javaScriptEnabled: false });
		await page.goto(`/chats/${CHATS.everyStatus}`);
		expect(await page.locator("#runs > li").count()).toBe(5);
		expect(await page.locator(".notice:visible").innerText()).toContain("Reload it");
		await page.locator("#filters a", { hasText: "Failed" }).click();
		// Without a script a click is a navigation, which is under way when `click` is done.
		await page.waitForURL((url) => url.search === "?status=failed");
		expect(await page.locator("#runs > li summary .status").allInnerTexts()).toEqual(["Failed"]);
		await page.locator("#runs > li > details > summary").click();
		expect(await page.locator("#runs > li > details").getAttribute("open")).toBeNull();
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("filters at once where there is JavaScript, and knows the way back", async () => {
		const { page, context } = await visit(browser, site);
		await page.goto(`/chats/${CHATS.everyStatus}`);
		await page.waitForSelector("#connection.live");
		let loads = 0;
		page.on("request", (request) => {
			if (request.isNavigationRequest()) loads += 1;
		});
		const failed = page.locator("#filters a", { hasText: "Failed" });
		await failed.click();
		const words = page.locator("#runs > li summary .status");
		expect(await words.allInnerTexts()).toEqual(["Failed"]);
		expect(await failed.getAttribute("aria-current")).toBe("true");
		expect(page.url()).toContain("?status=failed");
		await page.goBack();
		await expect.poll(() => words.count()).toBe(5);
		expect(await failed.getAttribute("aria-current")).toBeNull();
		expect(loads).toBe(0);
		await context.close();
	});

	it("says that there are no runs, or none of a status", async () => {
		const { page, context, complaints } = await visit(browser, site);
		await page.goto(`/chats/${CHATS.empty}`);
		expect(await page.locator("#below h2").innerText()).toBe("No workflow runs yet");
		await page.goto(`/chats/${CHATS.example}?status=failed`);
		expect(await page.locator("#below h2").innerText()).toBe("No failed runs");
		await page.waitForSelector("#connection.live");
		await page.locator("#below a").click();
		await expect.poll(() => page.locator("#runs > li").count()).toBe(1);
		expect(complaints).toEqual([]);
		await context.close();
	});

	it.each([
		["signed out", 401, "You are not signed in", CHATS.example],
		["another user's chat", 403, "This chat belongs to someone else", CHATS.anotherUsers],
		["an unknown chat", 404, "There is no such chat", randomUUID()],
		["a deleted chat", 404, "There is no such chat", CHATS.deleted],
		["a malformed id", 400, "This is not a chat's address", "7d9f3c52"],
	])("says so plainly: %s", async (what, status, title, chat) => {
		const { page, context, complaints } = await visit(browser, site, { signedIn: what !== "signed out" });
		const response = await page.goto(`/chats/${chat}`);
		expect(response?.status()).toBe(status);
		expect(await page.locator("h1").innerText()).toBe(title);
		expect(await page.locator("#runs").count()).toBe(0);
		// Chromium itself reports the page's status as an error.
		expect(complaints.filter((text) => !text.includes(`status of ${status}`))).toEqual([]);
		await context.close();
	});

	it("shows markup in names, ids and errors as text, from the server and from the stream", async () => {
		const evil = `<img src=x onerror="document.title='owned'"></span></li></ol><script>document.title='owned'</script>&amp;"'`;
		const run = outline("failed", 60, [{ name: evil, from: 0, to: 5, status: "failed", error: evil }], evil);
		for (const step of run.steps) step.id = evil.slice(0, 200);
		const chat = await newChat(site);
		await report(site, chat, [run]);
		const { page, context, complaints } = await visit(browser, site);
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#connection.live");
		await report(site, chat, [{ ...structuredClone(run), id: randomUUID() }]);
		await page.waitForSelector("#runs > li:nth-child(2)");
		for (const shown of await page.locator("#runs > li").all()) {
			await shown.locator("> details").evaluate((details) => details.setAttribute("open", ""));
			expect(await shown.locator(".inside > .error").textContent()).toBe(evil);
			expect(await shown.locator(".steps .name").textContent()).toBe(evil);
			expect(await shown.locator(".steps .error").textContent()).toBe(evil);
			expect(await shown.locator(".steps .name").getAttribute("title")).toBe(evil.slice(0, 200));
		}
		expect(await page.locator("#runs img, #runs script").count()).toBe(0);
		expect(await page.title()).toBe("Workflow runs");
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("fits a phone, with every run open", async () => {
		const chat = await newChat(site);
		await report(site, chat, workingDay());
		const { page, context } = await visit(browser, site, { viewport: { width: 390, height: 844 } });
		await page.goto(`/chats/${chat}`);
		await page.locator("#runs details").evaluateAll((all) => {
			for (const details of all) details.setAttribute("open", "");
		});
		const width = await page.evaluate(() => document.documentElement.scrollWidth);
		expect(width).toBeLessThanOrEqual(390);
		await context.close();
	});

	it("is strict about where things come from", async () => {
		const response = await fetch(`${originOf(site)}/chats/${CHATS.example}`);
		const policy = response.headers.get("content-security-policy");
		expect(policy).toContain("default-src 'none'");
		expect(policy).not.toContain("unsafe");
		for (const asset of ["/page.js", "/page.css", "/docs"]) {
			const { status, headers } = await fetch(`${originOf(site)}${asset}`);
			expect([asset, status, headers.get("x-content-type-options")]).toEqual([asset, 200, "nosniff"]);
		}
	});
});
