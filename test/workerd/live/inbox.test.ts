import { expect, it } from "vitest";
import { Inbox } from "../../../src/live/inbox.ts";

const told = (change: number, size: number) =>
	JSON.stringify({ to: { change, mark: "01234567" }, runs: ["x".repeat(size)] });
const sizeOf = (inboxes: readonly Inbox[]) => inboxes.reduce((sum, { size }) => sum + size, 0);

it("keeps little for each of many slow clients, and what a quick one is told all the same", () => {
	const slow = Array.from({ length: 200 }, () => new Inbox());
	for (let change = 0; change < 20; change++) for (const inbox of slow) inbox.put(told(change, 45_000));
	expect(sizeOf(slow)).toBeLessThan(33_000_000);
	const quick = new Inbox();
	quick.put(told(1, 1_000));
	expect([quick.take()?.to.change, quick.hasLost()]).toEqual([1, false]);
	expect(slow.at(-1)?.hasLost()).toBe(true);

	for (const inbox of slow) inbox.lose();
	expect(sizeOf(slow)).toBe(0);
	for (let change = 0; change < 20; change++) quick.put(told(change, 45_000));
	expect(quick.hasLost()).toBe(false);
	quick.lose();
});
