import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha1 } from "#protocol/sha1.ts";
import { ID_NAMESPACE, uuidFor } from "#protocol/uuid.ts";
import { readText } from "./dev-server.ts";

/** The one-liner of the docs, in Python. */
function byPython(engine: string, id: string): string {
	const [, code] = /python3 -c '([^']+)'/.exec(readText("docs/recording.md")) as RegExpExecArray;
	const { stdout, stderr } = spawnSync("python3", ["-c", code as string, engine, id], {
		encoding: "utf8",
		// Whatever the machine's locale is.
		env: { ...process.env, PYTHONUTF8: "1" },
	});
	expect(stderr).toBe("");
	return stdout.trim();
}

describe("ids of other systems", () => {
	it("come out as the docs say, so that no version makes others of them", () => {
		expect(ID_NAMESPACE).toBe("cdd6ed59-1623-4ba6-8c85-fef0228a9c62");
		const examples = [...readText("docs/recording.md").matchAll(/uuidFor\("(\w+)", "([^"]+)"\).*?`?([0-9a-f-]{36})/g)];
		expect(examples.length).toBeGreaterThan(1);
		for (const [, engine, id, result] of examples) expect(uuidFor(engine as string, id as string)).toBe(result);
	});

	it.each([
		["inngest", "01JZ8V6N3B7QK2M9T4R5W6X7Y8"],
		["chat", "thread 1"],
		["workflow", "Zusammenfassung für Ümit 🚀"],
		["run", "x".repeat(500)],
		["", ""],
	])("are the same in Python: %s:%s", (engine, id) => {
		expect(uuidFor(engine, id)).toBe(byPython(engine, id));
	});

	it("come back as they are where they are UUIDs, in lower case", () => {
		fc.assert(
			fc.property(fc.uuid(), (id) => {
				expect(uuidFor("any", id.toUpperCase())).toBe(id);
				expect(uuidFor("any", uuidFor("any", `x${id}`))).toBe(uuidFor("any", `x${id}`));
			}),
		);
		for (const id of ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]) {
			expect(uuidFor("any", id)).toBe(id);
		}
		// Neither is of RFC 9562, and the service takes neither.
		for (const id of ["5b0c0f1e-6a39-9b61-9f0a-2f6b8f0e7d11", "5b0c0f1e-6a39-4b61-cf0a-2f6b8f0e7d11"]) {
			expect(uuidFor("any", id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
		}
	});

	it("are made by SHA-1, of messages of every length", () => {
		for (let length = 0; length < 200; length++) {
			const message = new Uint8Array(length).map((_, index) => index * 7 + length);
			expect(Buffer.from(sha1(message)).toString("hex")).toBe(createHash("sha1").update(message).digest("hex"));
		}
	});
});
