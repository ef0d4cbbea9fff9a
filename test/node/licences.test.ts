import { expect, it } from "vitest";
import { listLicences } from "../../scripts/licences.ts";
import { readText } from "./dev-server.ts";

/** Licences that ask for no more than to be named. */
const PERMISSIVE = ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC"];

it("docs/licences.md lists what ships, and all of it may (else: npm run licences)", async () => {
	const list = readText("docs/licences.md");
	expect(list).toBe(await listLicences());
	const licences = [...list.matchAll(/^\| (?!Package|---)\S+ \| \S+ \| (.+?) \|/gm)].map(([, licence]) => licence);
	expect(licences.length).toBeGreaterThan(3);
	expect(licences.filter((licence) => !PERMISSIVE.includes(licence as string))).toEqual([]);
});
