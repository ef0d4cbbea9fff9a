import path from "node:path";
import { makeOpenApiDocument } from "../../scripts/openapi/document.ts";
import { put } from "../../scripts/put.ts";
import { makeSmallLibraries } from "../../scripts/small/libraries.ts";
import { root } from "../../scripts/wrangler.ts";

/** Vitest's global setup: the libraries that the service under test is bundled with, and its document, from the code as it is now. */
export async function setup(): Promise<void> {
	await makeSmallLibraries();
	put(path.join(root, "dist/assets/openapi.json"), Buffer.from(JSON.stringify(await makeOpenApiDocument())));
}
