import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { closeWindows, hasChromium, sharedBrowser, visit } from "./chromium.ts";
import { newChat, outline, type Report, report, workingDay } from "./scenes.ts";
import type { SiteAddress } from "./site.ts";

describe.skipIf(!hasChromium)("reading the page", () => {
	let site: SiteAddress;
	let browser: Browser;

	beforeAll(async () => {
		site = inject("site");
		browser = await sharedBrowser();
	});
	afterAll(() => closeWindows(browser));

	async function look(runs: readonly Report[], options: Parameters<typeof visit>[2] = {}, path = "") {
		const chat = await newChat(site);
		await report(site, chat, runs);
		const visited = await visit(browser, site, options);
		await visited.page.goto(`/chats/${chat}${path}`);
		await visited.page.waitForSelector("#timeline[data-live]");
		await visited.page.waitForSelector("#connection.live, #connection.ended");
		return { chat, ...visited };
	}

	it("finds runs by a step's name or an error, from the keyboard, within the chosen status", async () => {
		const { page, context, complaints } = await look(workingDay());
		const items = page.locator("#runs > li");
		await page.keyboard.press("/");
		await page.keyboard.type("TRANSCRIBE");
		await expect.poll(() => items.count()).toBe(2);
		await page.locator("#filters a", { hasText: "Pending" }).click();
		await expect.poll(() => items.count()).toBe(1);
		await page.keyboard.press("/");
		await page.keyboard.press("Escape");
		await page.keyboard.type("nobody wrote this");
		await page.waitForSelector("#below h2");
		expect(await page.locator("#below h2").innerText()).toBe("No pending runs found");
		await page.locator("#below a").click();
		await expect.poll(() => items.count()).toBe(8);
		expect(await page.locator("#search").inputValue()).toBe("");
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("copies an id", async () => {
		const [run] = workingDay() as [Report];
		const { page, context } = await look([run], { permissions: ["clipboard-read", "clipboard-write"] });
		const button = page.getByRole("button", { name: "Copy the run's id" });
		await button.click();
		await expect.poll(() => button.innerText()).toBe("Copied");
		expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(run.id);
		await expect.poll(() => button.innerText()).toBe("Copy");
		await context.close();
	});

	it("says so where a page has no clipboard, as without https", async () => {
		const { page, context, complaints } = await look(workingDay().slice(0, 1));
		await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
		const button = page.getByRole("button", { name: "Copy the run's id" });
		await button.click();
		await expect.poll(() => button.innerText()).toBe("Not allowed");
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("shows times in the reader's zone, and the exact ones on hover", async () => {
		const run = { ...outline("completed", 60, [], undefined), startedAt: "2024-02-04T23:30:00.000Z" };
		const { page, context } = await look([{ ...run, completedAt: "2024-02-04T23:31:00.000Z" }], {
			timezoneId: "Asia/Kolkata",
		});
		const started = page.locator(".facts time").first();
		expect(await started.innerText()).toBe("Feb 5, 2024, 05:00:00 GMT+5:30");
		expect(await started.getAttribute("title")).toBe("2024-02-04 23:30:00.000 UTC");
		await context.close();
	});

	it("unfolds what a step has no room for: its id and its times", async () => {
		const { page, context } = await look([outline("completed", 60, [{ name: "Plan", from: 0, to: 5 }])]);
		const facts = page.locator(".step .facts");
		expect(await facts.isVisible()).toBe(false);
		await page.locator(".step > summary").click();
		expect(await facts.isVisible()).toBe(true);
		expect(await facts.innerText()).toMatch(/Step\s+step-1/);
		await context.close();
	});

	it.each([320, 1120])("sets a step's metrics beside their names, in a width of %d px", async (width) => {
		const [run] = workingDay().slice(3) as [Report];
		for (const step of run.steps) step.metrics = { tokens: 8_210, sources: 12 };
		const { page, context } = await look([run], { viewport: { width, height: 800 } });
		// Of the texts themselves, which may be wider than their elements.
		const boxes = await page.locator(".steps .metrics :is(span, b)").evaluateAll((all) =>
			all.map((each) => {
				const range = document.createRange();
				range.selectNodeContents(each);
				return range.getBoundingClientRect();
			}),
		);
		expect(boxes.length).toBe(4 * run.steps.length);
		const overlap = (a: DOMRect, b: DOMRect) =>
			a !== b && a.right > b.left && b.right > a.left && a.bottom > b.top && b.bottom > a.top;
		const overlapping = boxes.filter((a) => boxes.some((b) => overlap(a, b)));
		expect(overlapping).toEqual([]);
		await context.close();
	});

	it("writes names from right to left where they are", async () => {
		const name = "بحث في الويب";
		const { page, context } = await look([outline("completed", 60, [{ name, from: 0, to: 5 }])]);
		const direction = await page
			.locator(".steps .name > span")
			.evaluate((element) => getComputedStyle(element).direction);
		expect(direction).toBe("rtl");
		await context.close();
	});

	it("prints runs, and nothing that is there to be pressed", async () => {
		const { page, context } = await look(workingDay(), { colorScheme: "dark" });
		await page.emulateMedia({ media: "print" });
		for (const part of [".toolbar", "#connection", ".bar nav", ".copy"]) {
			expect(await page.locator(part).first().isVisible(), part).toBe(false);
		}
		expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe("rgb(23, 26, 33)");
		await context.close();
	});

	it.each([320, 720])("fits %d px, as a phone or twice the zoom leave, with all runs and steps open", async (width) => {
		const long = "a-very-long-name-without-any-space".repeat(5);
		const run = outline("failed", 60, [{ name: long, from: 0, to: 5, status: "failed", error: long }], long);
		const { page, context } = await look([...workingDay(), run], { viewport: { width, height: 600 } });
		await page.locator("details").evaluateAll((all) => {
			for (const details of all) details.setAttribute("open", "");
		});
		expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
		const ends = await page
			.locator(".axis text")
			.evaluateAll((all) => all.map((text) => text.getBoundingClientRect().right));
		expect(ends.length).toBeGreaterThan(20);
		expect(Math.max(...ends)).toBeLessThanOrEqual(width);
		await context.close();
	});

	it("follows one run on its own page, to its end", async () => {
		const run = outline("running", 30, [{ name: "Plan", from: 0 }]);
		const { chat, page, context, complaints } = await look([run]);
		await page.locator(".facts a", { hasText: run.id }).click();
		await page.waitForURL(`**/chats/${chat}/runs/${run.id}`);
		await page.waitForSelector("#connection.live");
		const ended = outline("completed", 30, [{ name: "Plan", from: 0, to: 20 }]);
		await report(site, chat, [{ ...ended, id: run.id }]);
		await page.waitForSelector("#runs > .completed");
		await page.waitForSelector("#connection.ended");
		expect(await page.locator("#ended").isVisible()).toBe(false);
		expect(complaints).toEqual([]);
		await context.close();
	});
});
