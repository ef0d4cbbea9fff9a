import { expect, it } from "vitest";
import { GroupCommit } from "../../../src/live/group-commit.ts";

/** A store that notes how many jobs each commit brought it, and takes a moment for each. */
function store() {
	const sizes: number[] = [];
	const group = new GroupCommit<string, string>(
		async (jobs) => {
			sizes.push(jobs.length);
			await scheduler.wait(5);
			return jobs;
		},
		{ together: 100, waiting: 100 },
	);
	const write = async (writer: string, jobs: number) => {
		for (let i = 0; i < jobs; i++) expect(await group.add(`${writer} ${i}`, 1)).toBe(`${writer} ${i}`);
	};
	return { sizes, write };
}

it("keeps writers together that go on as soon as they are answered", async () => {
	const { sizes, write } = store();
	await Promise.all(["a", "b", "c", "d"].map((writer) => write(writer, 5)));
	expect(sizes).toEqual([1, 3, 4, 4, 4, 4]);
});

it("has a writer that is alone again wait once at most", async () => {
	const { sizes, write } = store();
	await Promise.all(["a", "b", "c"].map((writer) => write(writer, 1)));
	await write("d", 1);
	const alone = write("d", 1);
	// It is with the store already.
	expect(sizes).toEqual([1, 2, 1, 1]);
	await alone;
});
