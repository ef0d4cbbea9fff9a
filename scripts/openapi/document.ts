import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "../wrangler.ts";

/** Asks the Worker's own app for its OpenAPI document. The app is bundled for Node, since its pages are JSX. */
export async function makeOpenApiDocument(): Promise<object> {
	const folder = mkdtempSync(path.join(tmpdir(), "edge-runs-openapi-"));
	const log = console.log;
	try {
		const outfile = path.join(folder, "app.mjs");
		const entryPoints = [path.join(root, "src/app.ts")];
		await build({ entryPoints, outfile, bundle: true, format: "esm", platform: "node", logLevel: "warning" });
		const { app } = (await import(pathToFileURL(outfile).href)) as {
			app: { request(path: string, init: object, env: object, context: object): Promise<Response> };
		};
		console.log = () => {}; // the request's log line
		const response = await app.request("/api/openapi.json", {}, {}, { waitUntil() {}, passThroughOnException() {} });
		if (!response.ok) throw new Error(`The app answers ${response.status} for its OpenAPI document`);
		return (await response.json()) as object;
	} finally {
		console.log = log;
		rmSync(folder, { recursive: true, force: true });
	}
}
