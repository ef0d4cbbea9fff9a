import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CHATS } from "../../scripts/seed/chats.ts";
import { hasChromium, launch, sharedBrowser, visit } from "./chromium.ts";
import type { SiteAddress } from "./site.ts";

describe.skipIf(!hasChromium)("after a sign-out", () => {
	let site: SiteAddress;
	let browsers: Record<string, Browser>;

	beforeAll(async () => {
		site = inject("site");
		browsers = {
			"without a back/forward cache": await sharedBrowser(),
			// Playwright switches off what everybody's browser has: whole pages kept as they were left.
			"with a back/forward cache": await launch({ ignoreDefaultArgs: ["--disable-back-forward-cache"] }),
		};
	});
	afterAll(() => browsers["with a back/forward cache"]?.close());

	it.each(["without a back/forward cache", "with a back/forward cache"])(
		"Back does not show the runs, %s",
		async (name) => {
			const { page, context } = await visit(browsers[name] as Browser, site);
			await page.goto(`/chats/${CHATS.everyStatus}`);
			await page.waitForSelector("#runs li");
			await page.goto("/docs");
			await context.clearCookies();
			await page.goBack();
			expect(await page.textContent("h1")).toBe("You are not signed in");
			expect(await page.locator("#runs").count()).toBe(0);
			await context.close();
		},
	);
});
