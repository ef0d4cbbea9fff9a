import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient } from "#client/index.ts";
import type { RunsChange } from "#client/runs.ts";
import type { LineState } from "#client/state.ts";
import { html, numbered, pass, refusal, ScriptedLine, scripted } from "./scripted.ts";

const CHAT = "550e8400-e29b-41d4-a716-446655440000";

beforeEach(() => {
	vi.useFakeTimers({ now: Date.UTC(2024, 1, 4) });
});
afterEach(() => {
	vi.useRealTimers();
});

/** Follows a chat of a scripted service, and keeps all that it tells. */
function following(answers: ReturnType<typeof scripted>, options: Parameters<typeof createClient>[1] = {}) {
	const states: LineState[] = [];
	const changes: RunsChange[] = [];
	const follower = createClient("https://runs.test", { fetch: answers.fetch, ...options }).followWorkflowRuns(CHAT, {
		onState: (state) => states.push(state),
		onChange: (change) => changes.push(change),
	});
	return { follower, states, changes, words: () => states.map(({ status }) => status) };
}

const ids = (runs: readonly { id: string }[]) => runs.map(({ id }) => Number(id.slice(-4)));

describe("the runs that a follower keeps", () => {
	it("are whole changes alone: an event without an id has more to come", async () => {
		const line = new ScriptedLine();
		const { follower, changes } = following(scripted(line));
		// A snapshot in parts.
		line.send("snapshot", { workflowRuns: [numbered(1)] });
		line.send("run", numbered(2));
		await pass();
		expect([follower.isLoaded, follower.runs, changes]).toEqual([false, [], []]);
		expect(follower.state).toEqual({ status: "connecting" });
		line.send("run", numbered(3), "a");
		await pass();
		expect(ids(follower.runs)).toEqual([3, 2, 1]);
		expect(follower.state).toEqual({ status: "live" });
		expect(changes).toHaveLength(1);
		expect(changes[0]).toMatchObject({ isFirst: true, gone: [] });
		follower.close();
	});

	it("stay the same objects until they change, and tell what changed and what has gone", async () => {
		const line = new ScriptedLine();
		const { follower, changes } = following(scripted(line));
		line.send("snapshot", { workflowRuns: [numbered(1), numbered(2), numbered(3)] }, "a");
		await pass();
		const [three, two, one] = follower.runs;
		line.send("run", numbered(2, { status: "failed" }), "b");
		await pass();
		expect(follower.runs[0]).toBe(three);
		expect(follower.runs[2]).toBe(one);
		expect(changes.at(-1)).toMatchObject({ changed: [{ run: { status: "failed" }, before: two }], gone: [] });
		expect(follower.get(numbered(2).id.toUpperCase())?.status).toBe("failed");

		line.send("snapshot", { workflowRuns: [numbered(1), numbered(2, { status: "failed" })] }, "c");
		await pass();
		expect(changes.at(-1)).toMatchObject({ changed: [], gone: [three], isFirst: false });
		expect(follower.runs[1]).toBe(one);

		const before = follower.runs;
		line.send("snapshot", { workflowRuns: [numbered(1), numbered(2, { status: "failed" })] }, "d");
		await pass();
		expect(follower.runs).toBe(before);
		expect(changes).toHaveLength(3);
		follower.close();
	});

	it("lose half a change with its line, and come back for the whole of it", async () => {
		const [first, second] = [new ScriptedLine(), new ScriptedLine()];
		const service = scripted(first, second);
		const { follower } = following(service);
		first.send("snapshot", { workflowRuns: [numbered(1)] }, "a");
		first.send("run", numbered(2));
		await pass();
		first.break();
		await pass(2_000);
		second.send("run", numbered(3), "c");
		await pass();
		expect(service.lastEventIds()).toEqual([null, "a"]);
		expect(ids(follower.runs)).toEqual([3, 1]);
		follower.close();
	});
});

describe("the state of the line", () => {
	it("is told from the first try to the end", async () => {
		const [first, second] = [new ScriptedLine(), new ScriptedLine()];
		const { follower, states, words } = following(scripted(new TypeError("Failed to fetch"), first, second));
		await pass();
		expect(states[1]).toMatchObject({
			status: "reconnecting",
			reason: "no_answer",
			message: expect.stringContaining("Failed to fetch"),
			error: new TypeError("Failed to fetch"),
		});
		const { nextTryAt } = states[1] as { nextTryAt: number };
		expect(nextTryAt - Date.now()).toBeGreaterThanOrEqual(500);
		expect(nextTryAt - Date.now()).toBeLessThanOrEqual(1_000);
		await pass(1_000);
		expect(states[2]).toMatchObject({ status: "reconnecting", reason: "no_answer", nextTryAt: null });
		first.send("snapshot", { workflowRuns: [] }, "a");
		await pass(15_000);
		expect(follower.isLoaded).toBe(true);
		first.close();
		await pass();
		expect(follower.state).toMatchObject({ status: "reconnecting", reason: "closed" });
		await pass(1_000);
		// Nothing changed: the line's first sign of life is enough.
		expect(follower.state).toEqual({ status: "live" });
		follower.close();
		await pass();
		expect(follower.state).toMatchObject({ status: "ended", reason: "stopped", error: null });
		expect(second.isCancelled).toBe(true);
		const again = ["reconnecting", "reconnecting", "live"];
		expect(words()).toEqual(["connecting", ...again, ...again, "ended"]);
	});

	it("says what the function that gives tokens threw, and tries again", async () => {
		const token = () => Promise.reject(new Error("The app's server is down"));
		const { follower, states } = following(scripted(new ScriptedLine()), { token });
		await pass();
		expect(states[1]).toMatchObject({ status: "reconnecting", message: "No answer (The app's server is down)" });
		follower.close();
	});

	it.each(["never answers", "goes dead"])("is not live on a line that %s", async (how) => {
		const [dead, next] = [new ScriptedLine(), new ScriptedLine()];
		const service = scripted(how === "goes dead" ? dead : "nothing", next);
		const { follower } = following(service);
		dead.send("snapshot", { workflowRuns: [] }, "a");
		await pass(44_999);
		expect(service.requests).toHaveLength(1);
		await pass(1);
		expect(follower.state).toMatchObject({ status: "reconnecting", reason: "silent" });
		await pass(1_000);
		expect(service.requests).toHaveLength(2);
		next.send("snapshot", { workflowRuns: [] }, "b");
		// A heartbeat is a sign of life.
		for (let i = 0; i < 10; i += 1) {
			await pass(15_000);
			next.write(": heartbeat\n\n");
		}
		await pass();
		expect(follower.state).toEqual({ status: "live" });
		expect(service.requests).toHaveLength(2);
		follower.close();
	});

	it("does not change by what a listener throws", async () => {
		const line = new ScriptedLine();
		const service = scripted(line);
		const thrown: unknown[] = [];
		const queue = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((task) => {
			try {
				task();
			} catch (error) {
				thrown.push(error);
			}
		});
		const follower = createClient("https://runs.test", { fetch: service.fetch }).followWorkflowRuns(CHAT, {
			onChange() {
				throw new Error("the app's own");
			},
		});
		line.send("snapshot", { workflowRuns: [numbered(1)] }, "a");
		await pass();
		queue.mockRestore();
		expect(thrown).toEqual([new Error("the app's own")]);
		expect(follower.state).toEqual({ status: "live" });
		expect(follower.runs).toHaveLength(1);
		follower.close();
	});

	it("tells subscribers, until they leave", async () => {
		const line = new ScriptedLine();
		const { follower } = following(scripted(line));
		const seen: number[] = [];
		const leave = follower.subscribe(() => seen.push(follower.runs.length));
		line.send("snapshot", { workflowRuns: [numbered(1)] }, "a");
		await pass();
		leave();
		line.send("run", numbered(2), "b");
		await pass();
		// The runs, and the line that is live with them.
		expect(seen).toEqual([1, 1]);
		follower.close();
	});
});

describe("coming back", () => {
	it("waits longer each time, and at once no longer after a line that lived", async () => {
		const line = new ScriptedLine();
		const service = scripted(...Array.from({ length: 6 }, () => new TypeError("down")), line, new TypeError("down"));
		const { follower } = following(service);
		const waits: number[] = [];
		for (let i = 0; i < 6; i += 1) {
			await pass();
			const { nextTryAt } = follower.state as { nextTryAt: number };
			waits.push(nextTryAt - Date.now());
			await pass(nextTryAt - Date.now());
		}
		for (const [index, wait] of waits.entries()) {
			const backoff = Math.min(1_000 * 2 ** index, 30_000);
			expect(wait).toBeGreaterThanOrEqual(backoff / 2);
			expect(wait).toBeLessThanOrEqual(backoff);
		}
		line.send("snapshot", { workflowRuns: [] }, "a");
		await pass(10_000);
		line.close();
		await pass();
		expect((follower.state as { nextTryAt: number }).nextTryAt - Date.now()).toBeLessThanOrEqual(1_000);
		follower.close();
	});

	it("heeds Retry-After, but waits ten minutes at most: a timer of more than 2^31 ms fires at once", async () => {
		const service = scripted(refusal(503, "STORE_UNAVAILABLE", { "retry-after": "99999999999" }));
		const { follower } = following(service);
		await pass(599_000);
		expect(service.requests).toHaveLength(1);
		expect(follower.state).toMatchObject({ reason: "refused", error: { code: "STORE_UNAVAILABLE" } });
		await pass(2_000);
		expect(service.requests).toHaveLength(2);
		follower.close();
	});

	it("heeds Retry-After as a date", async () => {
		const date = new Date(Date.now() + 120_000).toUTCString();
		const service = scripted(refusal(429, "RATE_LIMITED", { "retry-after": date }), new ScriptedLine());
		const { follower } = following(service);
		await pass(119_000);
		expect(service.requests).toHaveLength(1);
		await pass(2_000);
		expect(service.requests).toHaveLength(2);
		follower.close();
	});

	it("ends where the stream says why, without asking: a rate limit's 429 would hide a session's end", async () => {
		const line = new ScriptedLine();
		const service = scripted(line, refusal(429, "RATE_LIMITED"));
		const { follower } = following(service);
		line.send("snapshot", { workflowRuns: [numbered(1)] }, "a");
		line.send("end", { reason: "session_ended" });
		await pass(60_000);
		expect(service.requests).toHaveLength(1);
		expect(follower.state).toMatchObject({
			status: "ended",
			reason: "session_ended",
			error: { code: "INVALID_SESSION", status: 401, requestId: "the-stream" },
		});
		expect(follower.runs).toHaveLength(1);
	});

	it.each([
		["INVALID_SESSION", 401, "session_ended"],
		["CHAT_FORBIDDEN", 403, "chat_forbidden"],
		["CHAT_NOT_FOUND", 404, "chat_deleted"],
		["INVALID_PARAMETER", 400, "refused"],
	])("ends at the service's %s", async (code, status, reason) => {
		const service = scripted(refusal(status, code));
		const { follower } = following(service);
		await pass(60_000);
		expect(follower.state).toMatchObject({ status: "ended", reason, error: { code, status } });
		expect(service.requests).toHaveLength(1);
	});

	it.each([
		["a sign-in page with 200", html(200)],
		["somebody else's 403", html(403)],
	])("gives up after three times %s, and says what came", async (_, answer) => {
		const service = scripted(answer);
		const { follower, states } = following(service);
		await pass(120_000);
		expect(service.requests).toHaveLength(3);
		expect(states.map((state) => "reason" in state && state.reason)).toContain("unexpected");
		expect(follower.state).toMatchObject({
			status: "ended",
			reason: "refused",
			error: { code: "UNEXPECTED_RESPONSE" },
		});
	});

	it("gives up on a stream that is not edge-runs'", async () => {
		const lines = [1, 2, 3].map(() => new ScriptedLine());
		const service = scripted(...lines);
		const { follower } = following(service);
		for (const line of lines) line.write("event: snapshot\ndata: {}\nid: 1\n\n");
		await pass(10_000);
		expect(follower.state).toMatchObject({ status: "ended", error: { message: expect.stringContaining("event") } });
		expect(follower.isLoaded).toBe(false);
	});

	it("says what a sign-in page is", async () => {
		const { follower } = following(scripted(html()));
		await pass(10_000);
		expect(follower.state).toMatchObject({
			message:
				"Expected an event stream, got status 200 with text/html. Is that edge-runs, or is there a proxy or a sign-in page in between?",
		});
	});

	it("goes on with a new token where the old one ended, and ends where the new one is refused", async () => {
		const [first, second] = [new ScriptedLine(), new ScriptedLine()];
		const service = scripted(first, second, refusal(401, "INVALID_SESSION"), refusal(401, "INVALID_SESSION"));
		let count = 0;
		const token = () => Promise.resolve(`token-${++count}`);
		const { follower } = following(service, { token });
		first.send("snapshot", { workflowRuns: [] }, "a");
		first.send("end", { reason: "session_ended" });
		await pass(1_000);
		expect(follower.state).toEqual({ status: "live" });
		second.send("end", { reason: "session_ended" });
		await pass(60_000);
		expect(follower.state).toMatchObject({ status: "ended", reason: "session_ended" });
		const sent = service.requests.map((request) => request.headers.get("authorization"));
		expect(sent).toEqual(["Bearer token-1", "Bearer token-2", "Bearer token-3", "Bearer token-4"]);
	});
});
