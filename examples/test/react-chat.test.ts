import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, launch } from "../../test/browser/chromium.ts";
import { originOf } from "../../test/browser/site.ts";
import { Example, SIGHTS, violationsOf } from "./example.ts";

const QUESTION = "Which of these papers measure it?";
const FAILING = "What does the library have?";

describe.skipIf(!hasChromium)("examples/react-chat", () => {
	let example: Example;
	let browser: Browser;

	beforeAll(async () => {
		example = await Example.start("react-chat");
		browser = await launch();
	});
	afterAll(async () => {
		await browser.close();
		expect(await example.stop()).toBe(0);
	});

	/** A browser window at the example, and what goes wrong in it. */
	async function open(options: Parameters<Browser["newContext"]>[0] = {}) {
		const context = await browser.newContext({ reducedMotion: "reduce", ...options });
		const page = await context.newPage();
		const complaints: string[] = [];
		page.on("console", (message) => {
			if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
		});
		page.on("pageerror", (error) => complaints.push(String(error)));
		await page.goto(example.origin);
		return { context, page, complaints };
	}

	async function signIn(page: Page) {
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("button", { name: "Sign out" }).waitFor();
		// On a phone the runs are behind a button.
		await page.locator("workflow-runs #connection.live").waitFor({ state: "attached" });
	}

	/** The line below a message that says how far its run is. */
	const progressOf = (page: Page, text: string) => page.locator("li", { hasText: text }).last().locator(".progress");

	it("signs in, asks, and follows the agent's run live, beside the message and in the timeline", async () => {
		const { page, context, complaints } = await open();
		await page.getByLabel("Password").fill("something else");
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("alert").filter({ hasText: "Invalid" }).waitFor();
		await page.getByLabel("Password").fill("correct horse battery");
		await signIn(page);
		// better-auth's 401 to the wrong password.
		expect(complaints.splice(0)).toEqual([expect.stringContaining("401")]);

		await page.getByLabel("Message", { exact: true }).fill(QUESTION);
		await page.getByLabel("Message", { exact: true }).press("Enter");
		const progress = progressOf(page, QUESTION);
		await progress.and(page.locator(".running")).waitFor();
		const run = page.locator("workflow-runs #runs > li");
		await run.and(page.locator(".running")).waitFor();
		await progress.filter({ hasText: /^Search the web: Page \d of 3$/ }).waitFor();
		await run.locator(".steps li", { hasText: "Write the answer" }).waitFor();
		await progress.and(page.locator(".completed")).waitFor();
		await run.and(page.locator(".completed")).waitFor();
		expect(await progress.innerText()).toMatch(/^Completed in \d+\.\d s, 4 steps$/);
		await page.locator(".messages .agent", { hasText: "6 words" }).waitFor();
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("shows what went wrong, and opens the run of a message", async () => {
		const { page, context, complaints } = await open();
		await signIn(page);
		await page.getByRole("button", { name: FAILING }).click();
		const progress = progressOf(page, FAILING);
		await progress.and(page.locator(".failed")).waitFor();
		await page.locator(".messages .failed", { hasText: "The library's index did not answer" }).waitFor();
		const run = page.locator("workflow-runs #runs > .failed");
		expect(await run.locator("summary .error").innerText()).toBe(
			"Search the library: The library's index did not answer",
		);
		await run.locator("> details > summary").click();
		expect(await run.locator("> details").getAttribute("open")).toBeNull();
		await progress.click();
		expect(await run.locator("> details").getAttribute("open")).not.toBeNull();
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("brings an answer to another tab, and has everything after a reload", async () => {
		const { page, context, complaints } = await open();
		await signIn(page);
		const other = await context.newPage();
		await other.goto(example.origin);
		await other.locator("workflow-runs #connection.live").waitFor();
		await page.getByLabel("Message", { exact: true }).fill("And this, in one tab?");
		await page.getByRole("button", { name: "Send" }).click();
		await other.locator(".messages .user", { hasText: "And this, in one tab?" }).waitFor();
		await page.reload();
		await page.locator(".messages .agent", { hasText: "5 words" }).waitFor();
		await other.locator(".messages .agent", { hasText: "5 words" }).waitFor();
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("ends what anybody could read when one signs out", async () => {
		const { page, context, complaints } = await open();
		await signIn(page);
		const asked = page.waitForRequest("**/workflow-runs/active");
		await page.reload();
		const request = await asked;
		const [url, headers] = [request.url(), await request.allHeaders()];
		const cookie = headers["cookie"] as string;
		expect(url).toBe(`${originOf(example.service)}/api/workflow-runs/active`);
		expect((await fetch(url, { headers: { cookie } })).status).toBe(200);
		await page.getByRole("button", { name: "Sign out" }).click();
		await page.getByRole("button", { name: "Sign in" }).waitFor();
		expect(await page.locator("workflow-runs").count()).toBe(0);
		expect((await fetch(url, { headers: { cookie } })).status).toBe(401);
		expect(complaints).toEqual([]);
		await context.close();
	});

	it.each(SIGHTS)("fits and is accessible %s", async (_, options) => {
		const { page, context } = await open(options);
		await page.getByRole("button", { name: "Sign in" }).waitFor();
		expect(await violationsOf(page)).toEqual([]);
		await signIn(page);
		await page.getByRole("button", { name: QUESTION }).click();
		await progressOf(page, QUESTION).and(page.locator(".completed")).click();
		expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport.width);
		expect(await page.locator("workflow-runs #runs > li").first().isVisible()).toBe(true);
		expect(await violationsOf(page)).toEqual([]);
		await context.close();
	});
});
