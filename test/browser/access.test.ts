import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CHATS } from "../../scripts/seed/chats.ts";
import { closeWindows, hasChromium, sharedBrowser, visit } from "./chromium.ts";
import { newChat, report, workingDay } from "./scenes.ts";
import type { SiteAddress } from "./site.ts";

describe.skipIf(!hasChromium)("everybody can use the page", () => {
	let site: SiteAddress;
	let browser: Browser;
	let chat: string;

	beforeAll(async () => {
		site = inject("site");
		browser = await sharedBrowser();
		chat = await newChat(site);
		await report(site, chat, workingDay());
	});
	afterAll(() => closeWindows(browser));

	describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
		it.each([
			["runs", () => chat],
			["no runs", () => CHATS.empty],
			["no such chat", () => CHATS.deleted],
		])("axe finds nothing serious: %s", async (_, chatId) => {
			// Once on a desk, and once on a phone.
			const viewport = colorScheme === "light" ? { width: 1_120, height: 800 } : { width: 320, height: 700 };
			const { page, context } = await visit(browser, site, { colorScheme, viewport });
			await page.goto(`/chats/${chatId()}`);
			await page.locator("details").evaluateAll((all) => {
				for (const details of all) details.setAttribute("open", "");
			});
			expect(await violations(page)).toEqual([]);
			await context.close();
		});

		it("the ground is as light as is asked for", async () => {
			const { page, context } = await visit(browser, site, { colorScheme });
			await page.goto(`/chats/${chat}`);
			const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
			const [red = 0] = ground.match(/\d+/g)?.map(Number) ?? [];
			expect(colorScheme === "dark" ? red < 64 : red > 192).toBe(true);
			await context.close();
		});
	});

	it("everything can be reached and done by the keyboard, and the focus shows", async () => {
		const { page, context } = await visit(browser, site);
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#connection.live");
		const reached: string[] = [];
		const focus = () =>
			page.evaluate(() => {
				const { textContent, tagName } = document.activeElement as HTMLElement;
				const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement as HTMLElement);
				return { name: `${tagName} ${textContent?.trim()}`, outline: `${outlineStyle} ${outlineWidth}` };
			});
		for (let i = 0; i < 10; i++) {
			await page.keyboard.press("Tab");
			const { name, outline } = await focus();
			reached.push(name);
			expect(outline).toBe("solid 2px");
		}
		expect(reached.slice(0, 8)).toEqual([
			"A JSON",
			"A API",
			"A All 8",
			"A Running 1",
			"A Pending 1",
			"A Failed 1",
			"A Completed 4",
			"A Cancelled 1",
		]);
		expect(reached[8]).toBe("INPUT ");
		expect(reached[9]).toMatch(/^SUMMARY Meeting notes/);
		const details = page.locator("#runs details").first();
		expect(await details.getAttribute("open")).toBeNull();
		await page.keyboard.press("Enter");
		expect(await details.getAttribute("open")).not.toBeNull();
		await page.keyboard.press("Shift+Tab");
		await page.keyboard.press("Shift+Tab");
		await page.keyboard.press("Enter");
		expect(await page.locator("#runs > li summary .status").allInnerTexts()).toEqual(["Cancelled"]);
		expect((await focus()).name).toBe("A Cancelled 1");
		await context.close();
	});

	it("nothing moves for those who asked for no motion", async () => {
		const { page, context } = await visit(browser, site, { reducedMotion: "reduce" });
		await page.goto(`/chats/${chat}`);
		expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
		await context.close();
		const moving = await visit(browser, site, { reducedMotion: "no-preference" });
		await moving.page.goto(`/chats/${chat}`);
		expect(await moving.page.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0);
		await moving.context.close();
	});
});

/** What axe-core finds, of any impact. It is handed to the page by the debugger, which no policy forbids. */
async function violations(page: Page): Promise<string[]> {
	await page.evaluate(axe.source);
	const { violations: found } = await page.evaluate(() =>
		// Not on by itself: it is new in WCAG 2.2.
		(window as unknown as { axe: typeof axe }).axe.run({ rules: { "target-size": { enabled: true } } }),
	);
	return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}
