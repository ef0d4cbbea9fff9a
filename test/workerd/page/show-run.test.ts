import { describe, expect, it } from "vitest";
import { insertChat, insertRuns, requestWith, signIn, uuid } from "../helpers.ts";

/** A chat with a failed run, and its owner's request for a run's page. */
async function chatWithRun() {
	const user = uuid();
	const { cookie } = await signIn(user);
	const chat = await insertChat(user);
	const error = "first line\n".repeat(50);
	const [id] = await insertRuns(chat, [{ status: "failed", error: JSON.stringify({ message: error }) }]);
	const ask = (runId: string) => requestWith({}, `/chats/${chat}/runs/${runId}`, { headers: { cookie } });
	return { chat, id: id as string, error, ask };
}

describe("GET /chats/:chatId/runs/:runId", () => {
	it("shows the run, open, and leads to the others and to its JSON", async () => {
		const { chat, id, ask } = await chatWithRun();
		const response = await ask(id);
		expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
		const html = await response.text();
		expect(html).toContain(`id="run-${id}" part="run failed"><details open="">`);
		expect(html).toContain(`<a href="/chats/${chat}">All runs</a>`);
		expect(html).toContain(`<a href="/api/chats/${chat}/workflow-runs/${id}">JSON</a>`);
		expect(html).not.toMatch(/ style=| on\w+=|<style|<script(?! type="module" src="\/page\.js")|https?:/);
	});

	it("folds a long error, and has all of it", async () => {
		const { id, error, ask } = await chatWithRun();
		const html = await (await ask(id)).text();
		expect(html).toContain('<details class="error folded"><summary dir="auto">first line …</summary>');
		expect(html).toContain(`<div class="whole" dir="auto">${error}</div>`);
	});

	it("says so where there is no such run, or the id is not one", async () => {
		const { ask } = await chatWithRun();
		const unknown = await ask(uuid());
		expect([unknown.status, (await unknown.text()).includes("There is no such workflow run")]).toEqual([404, true]);
		const wrong = await ask("7d9f");
		expect([wrong.status, (await wrong.text()).includes("INVALID_RUN_ID")]).toEqual([400, true]);
	});
});
