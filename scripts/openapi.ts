/**
 * The OpenAPI document as the service serves it, for tools: `npm run openapi` writes it to `dist/openapi.json`, and
 * `-- --lint` checks it by the recommended rules of Redocly and Spectral.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { command } from "./command-line.ts";
import { makeOpenApiDocument } from "./openapi/document.ts";
import { root } from "./wrangler.ts";

const file = path.join(root, "dist/openapi.json");

const HELP = `Writes the OpenAPI document to dist/openapi.json.

  --lint   checks it by the recommended rules of Redocly and Spectral: exit 1 if one complains
  --help   says this`;

/** What the two linters say, a line each. */
async function lint(text: string): Promise<string[]> {
	const { createConfig, lintFromString } = await import("@redocly/openapi-core");
	const { Spectral, Document } = await import("@stoplight/spectral-core").then((module) => module.default);
	const { oas } = await import("@stoplight/spectral-rulesets").then((module) => module.default);
	const { Json } = await import("@stoplight/spectral-parsers").then((module) => module.default);
	const config = await createConfig({ extends: ["recommended"] });
	const redocly = await lintFromString({ source: text, absoluteRef: file, config });
	const spectral = new Spectral();
	spectral.setRuleset({ extends: [[oas, "recommended"]] } as never);
	return [
		...redocly.map(({ ruleId, message, location }) => `redocly ${ruleId}: ${message} ${location[0]?.pointer ?? ""}`),
		...(await spectral.run(new Document(text, Json as never, file))).map(
			(issue) => `spectral ${issue.code}: ${issue.message} #/${issue.path.join("/")}`,
		),
	];
}

await command(HELP, { lint: { type: "boolean", default: false } }, async ({ values }) => {
	const text = JSON.stringify(await makeOpenApiDocument(), null, "\t");
	mkdirSync(path.dirname(file), { recursive: true });
	writeFileSync(file, `${text}\n`);
	const complaints = values.lint ? await lint(text) : [];
	for (const complaint of complaints) console.error(complaint);
	return complaints.length > 0 ? 1 : 0;
});
