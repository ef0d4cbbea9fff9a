import { afterEach, expect, it, vi } from "vitest";
import { DeadlineError, withDeadline } from "../../src/deadline.ts";

afterEach(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
});

const never = () => new Promise<never>(() => {});

it("gives up on each work of a scope, and leaves no timer behind", async () => {
	vi.useFakeTimers();
	const scope = {};
	const hung = [never(), never()].map((work) => withDeadline(work, 5, scope).catch((error: unknown) => error));
	const quick = withDeadline(Promise.resolve("quick"), 5, scope);
	expect(await quick).toBe("quick");
	// The two that hang share a timer, which the quick one must not have stopped.
	expect(vi.getTimerCount()).toBe(1);
	await vi.advanceTimersByTimeAsync(4_999);
	expect(vi.getTimerCount()).toBe(1);
	await vi.advanceTimersByTimeAsync(1);
	for (const error of await Promise.all(hung)) expect(error).toBeInstanceOf(DeadlineError);
	expect(vi.getTimerCount()).toBe(0);
});

it("gives each work its whole time: what begins later waits as long", async () => {
	vi.useFakeTimers();
	const scope = {};
	const outcomes: string[] = [];
	const wait = (name: string, seconds: number, of?: object) =>
		void withDeadline(never(), seconds, of).catch(() => outcomes.push(name));
	wait("first", 5, scope);
	wait("shorter", 1, scope);
	wait("another's", 5, {});
	wait("nobody's", 5);
	await vi.advanceTimersByTimeAsync(3_000);
	wait("later", 5, scope);
	expect(outcomes).toEqual(["shorter"]);
	await vi.advanceTimersByTimeAsync(2_000);
	expect(outcomes.toSorted()).toEqual(["another's", "first", "nobody's", "shorter"]);
	await vi.advanceTimersByTimeAsync(3_000);
	expect(outcomes.at(-1)).toBe("later");
	expect(vi.getTimerCount()).toBe(0);
});

it("passes on what the work ends in", async () => {
	const scope = {};
	await expect(withDeadline(Promise.reject(new Error("no")), 5, scope)).rejects.toThrow("no");
	await expect(withDeadline(Promise.resolve(1), 5, scope)).resolves.toBe(1);
});
