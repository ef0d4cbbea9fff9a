import type { Browser, Page } from "playwright-core";
import { Example } from "../../examples/test/example.ts";

const DESK = { width: 1080, height: 640 };
const PHONE = { width: 390, height: 640 };

/** Starts an example, shows its page, and ends it. */
async function at(name: string, browser: Browser, show: (page: Page) => Promise<void>): Promise<void> {
	const example = await Example.start(name);
	try {
		const page = await browser.newPage({ viewport: DESK, reducedMotion: "reduce" });
		await page.goto(example.origin);
		await show(page);
		await page.close();
	} finally {
		await example.stop();
	}
}

/** Takes the documents' pictures of the examples. */
export async function takeExamples(browser: Browser, take: (page: Page, name: string) => Promise<void>): Promise<void> {
	await at("react-chat", browser, async (page) => {
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("button", { name: "What does the library have?" }).click();
		await page.locator(".messages .failed").last().waitFor();
		await page.getByRole("button", { name: "Which of these papers measure it?" }).click();
		await page.locator(".progress", { hasText: "Search the web: Page 2 of 3" }).waitFor();
		await take(page, "react-chat-light");
		await page.emulateMedia({ colorScheme: "dark" });
		await take(page, "react-chat-dark");
		await page.setViewportSize(PHONE);
		await take(page, "react-chat-phone");
	});
	await at("plain-html", browser, async (page) => {
		await page.setViewportSize({ width: 720, height: 480 });
		await page.locator("workflow-runs #connection.live").waitFor();
		await page.getByRole("button", { name: "Ask for a refund" }).click();
		await page.locator("workflow-runs .steps .running", { hasText: "Pay back" }).waitFor();
		// So that its bar is long enough to be seen.
		await page.waitForTimeout(1_000);
		await take(page, "plain-html");
	});
}
