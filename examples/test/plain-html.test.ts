import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReadToken } from "../../packages/edge-runs/src/recorder/index.ts";
import { ensureDevVars } from "../../scripts/dev/vars.ts";
import { hasChromium, launch } from "../../test/browser/chromium.ts";
import { originOf } from "../../test/browser/site.ts";
import { Example, SIGHTS, violationsOf } from "./example.ts";

const CHAT = "6b1f0c9e-2d3a-4f58-9c7e-1a2b3c4d5e6f";
const USER = "customer-7";

/** Short, to see a token end, and long enough for a busy machine to open a stream with it. */
const SECONDS = 5;

describe.skipIf(!hasChromium)("examples/plain-html", () => {
	let example: Example;
	let browser: Browser;

	beforeAll(async () => {
		example = await Example.start("plain-html");
		browser = await launch();
	});
	afterAll(async () => {
		await browser.close();
		expect(await example.stop()).toBe(0);
	});

	/** A window at the example, and the requests for streams that it sends to edge-runs. */
	async function open(options: Parameters<Browser["newContext"]>[0] = {}) {
		const context = await browser.newContext({ reducedMotion: "reduce", ...options });
		const page = await context.newPage();
		const complaints: string[] = [];
		const streams: Promise<Record<string, string>>[] = [];
		page.on("console", (message) => {
			if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
		});
		page.on("pageerror", (error) => complaints.push(String(error)));
		page.on("request", (request) => {
			if (request.method() === "GET" && request.url().endsWith("/stream")) streams.push(request.allHeaders());
		});
		return { context, page, complaints, streams, element: page.locator("workflow-runs") };
	}

	it("follows a run from another origin by a read token, without any cookie", async () => {
		const { context, page, complaints, streams, element } = await open();
		// Somebody who is signed in there all the same: a token's page asks for no cookie.
		await context.addCookies([{ name: "better-auth.session_token", value: "any", url: originOf(example.service) }]);
		await page.goto(example.origin);
		await element.locator("#connection.live").waitFor();
		await page.getByRole("button", { name: "Ask for a refund" }).click();
		await element.locator("#runs > .running").waitFor();
		await element.locator("#runs > .running .steps .running", { hasText: "Pay back" }).waitFor();
		await element.locator("#runs > .completed").waitFor();
		const [headers, ...more] = await Promise.all(streams);
		expect(more).toEqual([]);
		expect(headers).toMatchObject({ origin: example.origin, authorization: expect.stringMatching(/^Bearer /) });
		expect(headers).not.toHaveProperty("cookie");
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("goes on with a new token when the old one ends, from where it was", async () => {
		const { context, page, complaints, streams, element } = await open();
		const secret = ensureDevVars()["READ_TOKEN_SECRET"] as string;
		await page.route("**/runs-token", async (route) => {
			const expiresInSeconds = streams.length === 0 ? SECONDS : 300;
			route.fulfill({ body: await createReadToken({ secret, userId: USER, chatId: CHAT, expiresInSeconds }) });
		});
		await page.goto(example.origin);
		await element.locator("#connection.live").waitFor();
		await expect.poll(() => streams.length).toBe(2);
		await element.locator("#connection.live").waitFor();
		const before = await element.locator("#runs > li").count();
		await page.getByRole("button", { name: "Ask for a refund" }).click();
		await expect.poll(() => element.locator("#runs > li").count()).toBe(before + 1);
		const [first, second] = await Promise.all(streams);
		expect(first).not.toHaveProperty("last-event-id");
		expect(second?.["last-event-id"]).toMatch(/./);
		expect(second?.["authorization"]).not.toBe(first?.["authorization"]);
		expect(await element.locator("#ended").isVisible()).toBe(false);
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("says that nobody is signed in, and goes on when somebody is", async () => {
		const { context, page, element } = await open();
		let isSignedIn = false;
		await page.route("**/runs-token", (route) =>
			isSignedIn ? route.continue() : route.fulfill({ body: "no.token.this" }),
		);
		await page.goto(example.origin);
		await element.locator("#ended:not([hidden])").waitFor();
		expect(await element.locator("#ended").innerText()).toContain("You are signed out");
		isSignedIn = true;
		await element.getByRole("button", { name: "Try again" }).click();
		await element.locator("#connection.live").waitFor();
		await context.close();
	});

	it("may not be read by a page of an origin that ALLOWED_ORIGINS does not name, whatever token it has", async () => {
		const { context, page, complaints, element } = await open();
		// The same server, by another name: another origin, and another site.
		await page.goto(example.origin.replace("localhost", "127.0.0.1"));
		await element.locator("#connection.reconnecting").waitFor();
		expect(await element.locator("#runs > li").count()).toBe(0);
		expect(complaints.filter((text) => text.includes("CORS policy"))).not.toEqual([]);
		await context.close();
	});

	it.each(SIGHTS)("fits and is accessible %s", async (_, options) => {
		const { context, page, element } = await open(options);
		await page.goto(example.origin);
		await element.locator("#connection.live").waitFor();
		await page.getByRole("button", { name: "Ask for a refund" }).click();
		await element.locator("#runs > .running .steps li").first().waitFor();
		expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport.width);
		expect(await violationsOf(page)).toEqual([]);
		await context.close();
	});
});
