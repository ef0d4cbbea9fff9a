/** `npm run alerts`: asks Workers Analytics Engine the alert queries of docs/metrics.md. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { command, Stop } from "./command-line.ts";

const HELP = `Asks Analytics Engine the queries under "Alerts" in docs/metrics.md, and prints what they find. Exits with 1 if
there is an alert, with 2 if it could not ask. The account and a token that may read its analytics are in
CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN.

  --env staging   asks about staging
  --skip TEXT     leaves out the alerts whose name contains TEXT, e.g. Retention; may be repeated
  --help          says this`;

const OPTIONS = { env: { type: "string" }, skip: { type: "string", multiple: true } } as const;

interface Alert {
	readonly name: string;
	readonly query: string;
}

/** The alerts of docs/metrics.md: the text in bold, and the query below it. */
function alerts(): Alert[] {
	const document = readFileSync(path.join(import.meta.dirname, "../docs/metrics.md"), "utf8");
	const section = document.slice(document.indexOf("\n## Alerts\n"));
	return [...section.matchAll(/^\*\*(.+?)\*\*.*\n\n```sql\n([\s\S]*?)```$/gm)].map(([, name = "", query = ""]) => ({
		name: name.replaceAll("`", ""),
		query,
	}));
}

/** @throws {Stop} if there is no answer */
async function ask(query: string): Promise<object[]> {
	const { CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_TOKEN: token } = process.env;
	const base = process.env["CLOUDFLARE_API_BASE_URL"] ?? "https://api.cloudflare.com/client/v4";
	if (!account || !token) throw new Stop("CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN are not set.");
	const url = `${base}/accounts/${account}/analytics_engine/sql`;
	const init = { method: "POST", headers: { authorization: `Bearer ${token}` }, body: query };
	try {
		const response = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
		const text = await response.text();
		if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 300)}`);
		return (JSON.parse(text) as { data: object[] }).data;
	} catch (error) {
		throw new Stop(`Analytics Engine did not answer: ${(error as Error).message}`);
	}
}

await command(HELP, OPTIONS, async ({ values: { env, skip = [] } }) => {
	if (env !== undefined && env !== "staging") throw new Stop(`--env takes staging, not "${env}".`);
	const asked = alerts().filter(({ name }) => !skip.some((text) => name.includes(text)));
	let found = 0;
	for (const { name, query } of asked) {
		const rows = await ask(env === "staging" ? query.replace("FROM edge_runs\n", "FROM edge_runs_staging\n") : query);
		if (rows.length === 0) continue;
		found++;
		console.log([`ALERT ${name}`, ...rows.map((row) => `  ${JSON.stringify(row)}`)].join("\n"));
	}
	console.log(`${asked.length} alerts asked, ${found} found something.`);
	return found > 0 ? 1 : 0;
});
