import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CHATS } from "../../scripts/seed/chats.ts";
import { closeWindows, hasChromium, sharedBrowser, visit } from "./chromium.ts";
import { originOf, type SiteAddress } from "./site.ts";

describe.skipIf(!hasChromium)("the API reference", () => {
	let site: SiteAddress;
	let browser: Browser;

	beforeAll(async () => {
		site = inject("site");
		browser = await sharedBrowser();
	});
	afterAll(() => closeWindows(browser));

	it("shows every operation of the published document, and asks no other host", async () => {
		const document = await (await fetch(`${originOf(site)}/api/openapi.json`)).json();
		const operations = Object.values<object>(document.paths).flatMap((methods) => Object.keys(methods));
		const { page, context, complaints } = await visit(browser, site);
		await page.goto("/");
		expect(new URL(page.url()).pathname).toBe("/docs");
		await page.waitForSelector(".opblock");
		expect(await page.locator(".opblock").count()).toBe(operations.length);
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("asks the service, with the reader's session", async () => {
		const { page, context, complaints } = await visit(browser, site);
		await page.goto("/docs#/Workflow%20runs/listWorkflowRuns");
		const operation = page.locator("#operations-Workflow_runs-listWorkflowRuns");
		await operation.getByRole("button", { name: "Try it out" }).click();
		await operation.getByPlaceholder("chatId").fill(CHATS.example);
		await operation.getByRole("button", { name: "Execute" }).click();
		const answer = operation.locator(".live-responses-table");
		expect(await answer.locator("tbody .response-col_status").innerText()).toContain("200");
		expect(await answer.locator(".highlight-code").first().innerText()).toContain("2024-02-04T12:01:30.000Z");
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("says where the document is without JavaScript", async () => {
		const { page, context } = await visit(browser, site, { javaScriptEnabled: false });
		await page.goto("/docs");
		expect(await page.locator("main a").getAttribute("href")).toBe("/api/openapi.json");
		await context.close();
	});
});
