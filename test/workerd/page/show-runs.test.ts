import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { RUNS_PER_PAGE } from "#timeline/view.ts";
import { insertChat, insertRuns, requestWith, type StoredRun, signIn, uuid } from "../helpers.ts";

/** A chat with these runs, and its owner's request for its page. */
async function chatWith(runs: StoredRun[]) {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	const ids = await insertRuns(chat, runs);
	const ask = (query = "", changed: Parameters<typeof requestWith>[0] = {}, method = "GET") =>
		requestWith(changed, `/chats/${chat}${query}`, { method, headers: { cookie } });
	return { chat, ids, ask };
}

/** The ids of the runs that a page lists, in its order. */
const listed = (html: string) =>
	[...html.matchAll(/<li class="run \w+" id="run-([0-9a-f-]{36})"/g)].map(([, id]) => id);

describe("GET /chats/:chatId", () => {
	it("answers with a page that nobody keeps, and that takes nothing from anywhere else", async () => {
		const { ask } = await chatWith([{}]);
		const response = await ask();
		const { headers } = response;
		expect(response.status).toBe(200);
		expect(headers.get("content-type")).toBe("text/html; charset=UTF-8");
		expect(headers.get("cache-control")).toBe("no-store");
		expect(headers.get("x-content-type-options")).toBe("nosniff");
		expect(headers.get("referrer-policy")).toBe("no-referrer");
		expect(headers.get("x-frame-options")).toBe("DENY");
		expect(headers.get("content-security-policy")).toBe(
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
				"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		);
		const html = await response.text();
		expect(html).toMatch(/^<!doctype html><html lang="en">/);
		expect(html).not.toMatch(/ style=| on\w+=|<style|<script(?! type="module" src="\/page\.js")|https?:/);
	});

	it("lists the runs in the API's order", async () => {
		const { ids, ask } = await chatWith([
			{ startedAt: "2024-02-04T12:00:00.000Z" },
			{ startedAt: "2024-02-04T12:01:00.000Z" },
			{ status: "pending", startedAt: null, completedAt: null },
		]);
		expect(listed(await (await ask()).text())).toEqual(ids.toReversed());
	});

	it("is where an address with a slash at its end leads", async () => {
		const { chat, ids, ask } = await chatWith([{}]);
		for (const path of ["", `/runs/${ids[0]}`]) {
			const { status, headers } = await ask(`${path}/?status=failed`);
			const { pathname, search } = new URL(headers.get("location") ?? "");
			expect([status, pathname, search]).toEqual([301, `/chats/${chat}${path}`, "?status=failed"]);
		}
	});

	it("shows markup as text", async () => {
		const evil = `</script><img src=x onerror=alert(1)>"'&`;
		const step = { id: evil, status: "failed", startedAt: null, completedAt: "2024-02-04T12:00:00.000Z" };
		const { ask } = await chatWith([
			{
				status: "failed",
				error: JSON.stringify({ message: evil }),
				steps: JSON.stringify([{ ...step, error: { message: evil }, name: evil }]),
			},
		]);
		const html = await (await ask()).text();
		expect(html).not.toContain("<img");
		expect(html.split("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;").length).toBeGreaterThan(4);
	});

	it("shows one status, and says which statuses there are if it does not know one", async () => {
		const { ids, ask } = await chatWith([{}, { status: "failed" }, {}]);
		const html = await (await ask("?status=failed")).text();
		expect(listed(html)).toEqual([ids[1]]);
		expect(html).toContain('All <span class="count">3</span>');
		expect((await ask("?status=paused")).status).toBe(400);
		expect(await (await ask("?status=toString")).text()).toContain("status: must be one of pending, running,");
	});

	it("shows a page of runs, and links to those behind them", async () => {
		const start = Date.parse("2024-02-04T12:00:00.000Z");
		const runs = Array.from({ length: 2.5 * RUNS_PER_PAGE }, (_, i) => ({
			status: i % 2 ? "failed" : "completed",
			startedAt: new Date(start - i * 1000).toISOString(),
			completedAt: new Date(start).toISOString(),
		}));
		const { ids, ask } = await chatWith(runs);
		for (const [query, expected] of [
			["", ids],
			["?status=failed", ids.filter((_, i) => i % 2)],
		] as const) {
			const seen: (string | undefined)[] = [];
			let next: string | undefined = query;
			while (next !== undefined) {
				const html = await (await ask(next)).text();
				const page = listed(html);
				expect(page.length).toBeLessThanOrEqual(RUNS_PER_PAGE);
				seen.push(...page);
				next = /rel="next" href="[^"?]*(\?[^"]*)"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
			}
			expect(seen).toEqual(expected);
		}
		expect((await ask("?before=nonsense")).status).toBe(400);
	});

	it("says that it shows a copy while D1 fails, and is a page that says so where there is none", async () => {
		const { ids, ask } = await chatWith([{}]);
		const failing = {
			...env.DB,
			withSession: () => {
				throw new Error("D1_ERROR: Network connection lost");
			},
		} as unknown as D1Database;
		const outage = await ask("", { DB: failing });
		expect(outage.status).toBe(503);
		expect(outage.headers.get("retry-after")).toBe("2");
		expect(await outage.text()).toContain("<h1>The workflow runs are out of reach</h1>");

		expect(await (await ask()).text()).not.toContain("The database did not answer");
		const stale = await ask("", { DB: failing, FRESH_SECONDS: "0" });
		expect(stale.status).toBe(200);
		const html = await stale.text();
		expect(html).toContain("The database did not answer");
		expect(listed(html)).toEqual(ids);
	});

	it("lists at most 200 steps of a run, and those that failed among them", async () => {
		const steps = Array.from({ length: 1_000 }, (_, i) => ({
			id: `step-${i}`,
			status: i === 900 ? "failed" : "completed",
			startedAt: "2024-02-04T12:00:00.000Z",
			completedAt: "2024-02-04T12:00:01.000Z",
		}));
		const { ask } = await chatWith([{ steps: JSON.stringify(steps) }]);
		const html = await (await ask()).text();
		expect(html.match(/class="name"/g)).toHaveLength(101);
		expect(html).toContain(">step-900<");
		expect(html).toContain("899 more steps");
		expect(html.length).toBeLessThan(100_000);
	});

	it("knows HEAD, and no other method", async () => {
		const { ask } = await chatWith([]);
		const head = await ask("", {}, "HEAD");
		expect([head.status, await head.text()]).toEqual([200, ""]);
		const post = await ask("", {}, "POST");
		expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
	});
});
