import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EdgeRunsError } from "../../packages/edge-runs/src/client/errors.ts";
import type { ActiveCounts } from "../../packages/edge-runs/src/client/service.ts";
import { pollActiveRuns } from "../../packages/edge-runs/src/react/active-runs.ts";

beforeEach(() => {
	vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
});
afterEach(() => {
	vi.unstubAllGlobals();
});

it("asks once more where one is signed in while the answer to a stranger is on its way", async () => {
	const questions: ((answer: ActiveCounts | Promise<never>) => void)[] = [];
	const active = pollActiveRuns(() => new Promise((resolve) => questions.push(resolve)));
	const unsubscribe = active.subscribe(() => {});
	active.read().retry();
	questions[0]?.(Promise.reject(new EdgeRunsError("INVALID_SESSION", "Invalid or missing session", 401)));
	await expect.poll(() => questions.length).toBe(2);
	questions[1]?.({ pending: 1, running: 2 });
	await expect.poll(() => active.read().count).toBe(3);
	expect(active.read().error).toBe(null);
	unsubscribe();
});
