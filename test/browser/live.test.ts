import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { RUNS_PER_PAGE } from "../../packages/edge-runs/src/timeline/view.ts";
import { closeWindows, hasChromium, sharedBrowser, visit } from "./chromium.ts";
import { startDyingProxy } from "./proxy.ts";
import { manyRuns, newChat, outline, type Report, report, workingDay } from "./scenes.ts";
import { record, type SiteAddress } from "./site.ts";
import { store } from "./store.ts";

describe.skipIf(!hasChromium)("the live page", () => {
	let site: SiteAddress;
	let browser: Browser;

	beforeAll(async () => {
		site = inject("site");
		browser = await sharedBrowser();
	});
	afterAll(() => closeWindows(browser));

	/** A chat with these runs, looked at. */
	async function look(runs: readonly Report[]) {
		const chat = await newChat(site);
		await report(site, chat, runs);
		const visited = await visit(browser, site);
		await visited.page.goto(`/chats/${chat}`);
		await visited.page.waitForSelector("#connection.live");
		return { chat, ...visited };
	}

	it("follows a run from its report to its end, and tells screen readers", async () => {
		const { chat, page, context, complaints } = await look([]);
		const pending = outline("pending", null, [{ name: "Plan" }, { name: "Search" }]);
		await report(site, chat, [pending]);
		const run = page.locator(`#run-${pending.id}`);
		const word = run.locator("summary .status");
		await run.waitFor();
		expect(await word.innerText()).toBe("Pending");
		expect(await page.locator("#below h2").count()).toBe(0);

		const steps = [
			{ name: "Plan", from: 0, to: 2 },
			{ name: "Search", from: 2 },
		];
		await report(site, chat, [{ ...outline("running", 30, steps), id: pending.id }]);
		await page.waitForSelector(`#run-${pending.id}.running`);
		expect(await word.innerText()).toBe("Running");
		expect(await run.locator("summary .which").innerText()).toContain("1 of 2 steps done");

		const ended = [
			{ name: "Plan", from: 0, to: 2 },
			{ name: "Search", from: 2, to: 40, status: "failed" as const, error: "No answer" },
		];
		await report(site, chat, [{ ...outline("failed", 30, ended), id: pending.id }]);
		await page.waitForSelector(`#run-${pending.id}.failed`);
		await page.waitForFunction(() => document.querySelector("#announcer")?.textContent?.endsWith("Failed"));
		expect(await page.locator("#announcer").textContent()).toBe(`Workflow run ${pending.id.slice(0, 8)}: Failed`);
		expect(await page.locator("#filters a", { hasText: "Failed" }).locator(".count").innerText()).toBe("1");
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("lets what runs grow without any report", async () => {
		const { page, context } = await look([
			outline("running", 5, [
				{ name: "Plan", from: 0, to: 4 },
				{ name: "Search", from: 4 },
			]),
		]);
		const width = () => page.locator(".track rect").first().getAttribute("width");
		const before = Number.parseFloat((await width()) ?? "");
		await page.waitForFunction(
			(start) => Number.parseFloat(document.querySelector(".track rect")?.getAttribute("width") ?? "") < start - 5,
			before,
		);
		await context.close();
	});

	it("keeps what the reader opened and where they are, whatever changes", async () => {
		const [running, ...others] = workingDay() as [Report, ...Report[]];
		const { chat, page, context } = await look([running, ...others]);
		const failed = page.locator("#runs > .failed");
		await failed.locator("> details > summary").click();
		await failed.locator("> details > summary").evaluate((summary) => {
			(summary as HTMLElement & { marked?: boolean }).marked = true;
			summary.focus();
		});
		const id = (await failed.getAttribute("id"))?.slice(4) as string;
		const step = { id: "late", name: "Told late", status: "completed" as const, position: 9 };
		const { id: _, ...old } = others.find((run) => run.id === id) as Report;
		const late = { ...step, startedAt: old.startedAt, completedAt: old.completedAt };
		await report(site, chat, [{ ...old, id, steps: [...old.steps, late] }, outline("pending", null, [])]);
		await failed.locator(".name", { hasText: "Told late" }).waitFor();
		expect(await failed.locator("> details").getAttribute("open")).not.toBeNull();
		const focused = await page.evaluate(() => (document.activeElement as HTMLElement & { marked?: boolean }).marked);
		expect(focused).toBe(true);
		await context.close();
	});

	it("draws a run exactly as the server does: the first events change nothing", async () => {
		const chat = await newChat(site);
		await report(
			site,
			chat,
			workingDay().filter(({ completedAt }) => completedAt !== null),
		);
		const { page, context } = await visit(browser, site);
		await page.addInitScript(countMutations);
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#connection.live");
		await page.waitForTimeout(500);
		expect(await mutations(page)).toEqual([]);
		await context.close();
	});

	it("with 10,000 runs sends a part, draws what one scrolls to, and touches only what changes", async () => {
		const runs = manyRuns(10_000);
		const chat = await newChat(site);
		store(site, chat, runs);
		const { page, context, complaints } = await visit(browser, site);
		await page.addInitScript(countMutations);
		const response = await page.goto(`/chats/${chat}`);
		expect((await response?.body())?.byteLength).toBeLessThan(200_000);
		await page.waitForSelector("#connection.live");
		const items = page.locator("#runs > li");
		await page.waitForSelector("#timeline[data-live]");
		expect(await page.locator("#filters .count").first().innerText()).toBe("10000");
		// The list stays where one scrolls to, though nothing of it was drawn there.
		await page.evaluate(() => scrollTo(0, 3_000));
		await page.waitForFunction(() => document.elementFromPoint(300, 400)?.closest("#runs > li"));
		expect(await page.evaluate(() => scrollY)).toBe(3_000);
		const last = `#run-${runs.at(-1)?.id}`;
		await page.waitForFunction((selector) => {
			scrollTo(0, document.documentElement.scrollHeight);
			return document.querySelector(selector) !== null;
		}, last);
		// What is out of sight is not in the document, and yet takes its room.
		expect(await items.count()).toBeLessThan(2 * RUNS_PER_PAGE);
		expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeGreaterThan(10_000 * 50);
		expect(await page.locator(last).evaluate((run) => run.getBoundingClientRect().top < innerHeight)).toBe(true);
		const newest = `#run-${runs[0]?.id}`;
		expect(await page.locator(newest).count()).toBe(0);
		await page.evaluate(() => scrollTo(0, 0));
		await page.waitForSelector(newest);

		await mutations(page);
		const { steps, ...first } = runs[0] as Report;
		const renamed = steps.map((step, index) => (index === 0 ? { ...step, name: "Plan it all again" } : step));
		await report(site, chat, [{ ...first, steps: renamed }]);
		await page.waitForFunction(() => document.querySelector("#runs .name")?.textContent === "Plan it all again");
		expect(await mutations(page)).toEqual([`run-${first.id}`]);

		// What a filter takes away goes at once: one by one, each removal has the browser look at all the others.
		await page.evaluate(() => {
			const counted = window as unknown as { removals: number };
			counted.removals = 0;
			new MutationObserver((records) => {
				counted.removals += records.filter(({ removedNodes }) => removedNodes.length > 0).length;
			}).observe(document.querySelector("#runs") as Element, { childList: true });
		});
		await page.locator("#filters a", { hasText: "Failed" }).click();
		expect(await page.locator("#runs > li:not(.failed)").count()).toBe(0);
		expect(await items.count()).toBeLessThan(2 * RUNS_PER_PAGE);
		expect(await page.evaluate(() => (window as unknown as { removals: number }).removals)).toBeLessThan(
			2 * RUNS_PER_PAGE,
		);

		// A run that the address names opens in sight, though the filter and 8,000 others are before it.
		for (const index of [8_000, 9_999, 8_000, 0]) {
			await page.evaluate((id) => {
				location.hash = `run-${id}`;
			}, runs[index]?.id);
			const summary = page.locator(`#run-${runs[index]?.id} > details[open] > summary`);
			await page.waitForTimeout(100);
			const [top, bottom] = await summary.evaluate((it) => [it.getBoundingClientRect().top, innerHeight] as const);
			const bar = await page.locator(".bar").evaluate((it) => it.getBoundingClientRect().bottom);
			expect([index, top > bar, top < bottom]).toEqual([index, true, true]);
			expect(await items.count()).toBeLessThanOrEqual(2 * RUNS_PER_PAGE);
		}
		expect(complaints).toEqual([]);
		await context.close();
	});

	it("sends a small page whatever its runs say, and all of it when they are opened", async () => {
		const runs = Array.from({ length: RUNS_PER_PAGE }, (_, index) => ({
			...outline("failed", 60 + index, [{ name: "Plan", from: 0, to: 5 }], "e".repeat(4_000)),
			output: { text: "o".repeat(12_000) },
		}));
		const chat = await newChat(site);
		await report(site, chat, runs.slice(0, 25));
		await report(site, chat, runs.slice(25));
		const { page, context } = await visit(browser, site);
		const response = await page.goto(`/chats/${chat}`);
		expect((await response?.body())?.byteLength).toBeLessThan(200_000);
		await page.waitForSelector("#timeline[data-live]");
		const closed = page.locator(`#run-${runs[10]?.id}`);
		expect(await closed.locator(".output").count()).toBe(0);
		await closed.locator("summary").first().click();
		await expect.poll(() => closed.locator(".output, .folded").count()).toBe(2);
		await context.close();
	});

	it("says which of how many a run is where only a part is drawn, by keyboard too, and axe finds nothing", async () => {
		const runs = manyRuns(300);
		const chat = await newChat(site);
		store(site, chat, runs);
		const { page, context } = await visit(browser, site);
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#timeline[data-live]");
		const places = () =>
			page
				.locator("#runs > li")
				.evaluateAll((all) => all.map((each) => [Number(each.ariaPosInSet), each.ariaSetSize, each.id] as const));
		const expectPlaces = async (of: readonly Report[]) => {
			const found = await places();
			expect(found.length).toBeGreaterThan(10);
			for (const [at, size, id] of found) expect([size, id]).toEqual([`${of.length}`, `run-${of[at - 1]?.id}`]);
		};
		await expectPlaces(runs);
		await page.evaluate(axe.source);
		const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
		expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);

		// From run to run by Tab, over what was drawn at first.
		await page.locator("#runs > li > details > summary").nth(1).focus();
		const focused = () => page.evaluate(() => Number(document.activeElement?.closest("#runs > li")?.ariaPosInSet));
		for (let at = 2; at < 90; at++) {
			expect(await focused()).toBe(at);
			await page.keyboard.press("Tab");
		}
		await expectPlaces(runs);
		await page.locator("#filters a", { hasText: "Failed" }).click();
		await page.waitForFunction(() => document.querySelector("#runs > li:not(.failed)") === null);
		await expectPlaces(runs.filter(({ status }) => status === "failed"));

		// A list that is whole needs no numbers: what is there is counted.
		await page.keyboard.press("/");
		await page.keyboard.type(runs[3]?.id as string);
		await page.waitForFunction(() => document.querySelectorAll("#runs > li").length === 1);
		expect(await places()).toEqual([[0, null, `run-${runs[3]?.id}`]]);
		await context.close();
	});

	it("opens the run that a link names", async () => {
		const chat = await newChat(site);
		const runs = manyRuns(RUNS_PER_PAGE + 10);
		await report(site, chat, runs);
		const { page, context } = await visit(browser, site);
		for (const run of [runs[3], runs.at(-1)] as Report[]) {
			await page.goto("about:blank");
			await page.goto(`/chats/${chat}#run-${run.id}`);
			await page.waitForSelector(`#run-${run.id} > details[open]`);
		}
		await context.close();
	});

	it("says when the chat is deleted, and keeps what it shows", async () => {
		const { chat, page, context, complaints } = await look(workingDay());
		await record(site, "DELETE", `/api/chats/${chat}`);
		await page.waitForSelector("#ended:not([hidden])");
		expect(await page.locator("#ended").innerText()).toContain("was deleted");
		expect(await page.locator("#connection").innerText()).toBe("Ended");
		expect(await page.locator("#runs > li").count()).toBe(8);
		expect(complaints).toEqual([]);
		await context.close();
	});
});

describe.skipIf(!hasChromium)("the live page's line", () => {
	let browser: Browser;
	beforeAll(async () => {
		browser = await sharedBrowser();
	});
	afterAll(() => closeWindows(browser));

	it("that goes dead is noticed, said, and opened again with what was missed", async () => {
		const site = inject("site");
		const proxy = await startDyingProxy(site);
		const chat = await newChat(site);
		const { page, context, complaints } = await visit(browser, proxy.site);
		await page.clock.install();
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#connection.live");
		proxy.killOpenAnswers();
		const missed = outline("running", 3, [{ name: "Plan", from: 0 }]);
		await report(site, chat, [missed]);
		// What the test itself takes counts, too: the clock goes on.
		await page.clock.fastForward(30_000);
		expect(await page.locator("#connection").innerText()).toBe("Live");
		expect(await page.locator(`#run-${missed.id}`).count()).toBe(0);
		await page.evaluate(noteLineStates);
		await page.clock.fastForward(15_000);
		await page.waitForSelector(`#run-${missed.id}`);
		await page.waitForSelector("#connection.live");
		const states = await page.evaluate(() => (window as unknown as { states: string[] }).states);
		expect(states[0]).toBe("Reconnecting…: Nothing was heard for 45 seconds");
		expect(states.at(-1)).toBe("Live: ");
		expect(complaints).toEqual([]);
		await context.close();
		proxy.close();
	});

	it("that is cut says so, comes back by itself, and catches up; and says when it is signed out", async () => {
		const site = inject("site");
		const proxy = await startDyingProxy(site);
		const chat = await newChat(site);
		const run = outline("running", 20, [{ name: "Plan", from: 0 }]);
		await report(site, chat, [run]);
		const { page, context } = await visit(browser, proxy.site);
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#connection.live");
		await proxy.refuse();
		await page.waitForSelector("#connection.reconnecting");
		expect(await page.locator("#connection").innerText()).toBe("Reconnecting…");
		expect(await page.locator("#runs > li").count()).toBe(1);

		await report(site, chat, [{ ...outline("completed", 20, [{ name: "Plan", from: 0, to: 15 }]), id: run.id }]);
		await proxy.accept();
		await page.waitForSelector("#connection.live");
		await page.waitForSelector(`#run-${run.id}.completed`);

		await context.clearCookies();
		await proxy.refuse();
		await page.waitForSelector("#connection.reconnecting");
		await proxy.accept();
		await page.waitForSelector("#ended:not([hidden])");
		expect(await page.locator("#ended").innerText()).toContain("You are signed out");
		await context.close();
		proxy.close();
	});

	it("says that the device is offline, and comes back when it is not", async () => {
		const site = inject("site");
		const chat = await newChat(site);
		const { page, context } = await visit(browser, site);
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#connection.live");
		await context.setOffline(true);
		await page.waitForFunction(() => document.querySelector("#connection")?.textContent === "Offline");
		const missed = outline("running", 3, [{ name: "Plan", from: 0 }]);
		await report(site, chat, [missed]);
		await context.setOffline(false);
		await page.waitForSelector(`#run-${missed.id}`);
		await page.waitForSelector("#connection.live");
		await context.close();
	});

	it("is let go of a minute after nobody looks, and taken up when somebody does", async () => {
		const site = inject("site");
		const chat = await newChat(site);
		const { page, context } = await visit(browser, site);
		await page.clock.install();
		await page.goto(`/chats/${chat}`);
		await page.waitForSelector("#connection.live");
		await page.evaluate(setHidden, true);
		await page.clock.fastForward(35_000);
		expect(await page.locator("#connection").getAttribute("class")).toBe("live");
		await page.clock.fastForward(26_000);
		await page.waitForSelector("#connection.reconnecting[title='Nobody looks at this page']");
		await page.clock.fastForward(3_600_000);
		expect(await page.locator("#connection").getAttribute("class")).toBe("reconnecting");
		await page.evaluate(setHidden, false);
		await page.waitForSelector("#connection.live");
		await context.close();
	});
});

/** Runs in the page: notes what it says of its line from now on, with the reason behind it. */
function noteLineStates(): void {
	const line = document.querySelector("#connection") as HTMLElement;
	const states: string[] = [];
	Object.assign(window, { states });
	new MutationObserver(() => states.push(`${line.textContent}: ${line.title}`)).observe(line, { childList: true });
}

/** Runs in the page: whether anybody looks at it is for the browser to say, and a test cannot cover its window. */
function setHidden(hidden: boolean): void {
	Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
	document.dispatchEvent(new Event("visibilitychange"));
}

/** Runs in the page: notes which runs' elements change. */
function countMutations(): void {
	document.addEventListener("DOMContentLoaded", () => {
		const list = document.querySelector("#runs");
		const changed: string[] = [];
		Object.assign(window, { changed });
		new MutationObserver((records) => {
			for (const { target } of records) {
				const element = target instanceof Element ? target : target.parentElement;
				changed.push(element?.closest("#runs > li")?.id ?? "the list");
			}
		}).observe(list as Element, { subtree: true, childList: true, characterData: true, attributes: true });
	});
}

/** The ids of the elements that changed since it was asked last. */
function mutations(page: Page): Promise<string[]> {
	return page.evaluate(() => [...new Set((window as unknown as { changed: string[] }).changed.splice(0))]);
}
