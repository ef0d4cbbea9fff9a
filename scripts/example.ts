/** `npm run example:…`: an example, with edge-runs beside it. */
import { existsSync } from "node:fs";
import path from "node:path";
import { command, Stop, wholeNumber } from "./command-line.ts";
import { ensureDevVars } from "./dev/vars.ts";
import { install } from "./example/install.ts";
import { Processes } from "./example/processes.ts";
import { root } from "./wrangler.ts";

/** Each example, with the port that it has by itself and what Node starts in its folder. */
const EXAMPLES = {
	"react-chat": { port: 5173, script: "node_modules/vite/bin/vite.js" },
	"plain-html": { port: 3000, script: "server.js" },
} as const;

const HELP = `Starts an example, and edge-runs beside it where it does not run already:

  npm run example:react-chat
  npm run example:plain-html

  --port N          where the example is: ${EXAMPLES["react-chat"].port}, or ${EXAMPLES["plain-html"].port} for plain-html, unless given
  --service-port N  where edge-runs is, or is to be: 3026 unless given
  --persist-to DIR  where edge-runs has its local stores: .wrangler/state unless given
  --cookie-jar FILE as of npm run dev
  --help            says this

Ctrl+C ends both.`;

const OPTIONS = {
	port: { type: "string" },
	"service-port": { type: "string", default: "3026" },
	"persist-to": { type: "string", default: path.join(root, ".wrangler/state") },
	"cookie-jar": { type: "string", default: path.join(root, "cookies.txt") },
} as const;

await command(
	HELP,
	OPTIONS,
	async ({ values: options, positionals: [name = ""] }) => {
		if (!Object.hasOwn(EXAMPLES, name))
			throw new Stop(`There are ${Object.keys(EXAMPLES).join(" and ")}. --help says more.`);
		const example = EXAMPLES[name as keyof typeof EXAMPLES];
		const folder = path.join(root, "examples", name);
		const port = wholeNumber("--port", options.port ?? `${example.port}`, 65_535);
		const servicePort = wholeNumber("--service-port", options["service-port"], 65_535);
		const [origin, service] = [`http://localhost:${port}`, `http://localhost:${servicePort}`];
		const state = path.resolve(options["persist-to"]);

		if (existsSync(path.join(folder, "package-lock.json"))) install(folder);
		const vars = ensureDevVars();
		const first = (name: string) => vars[name]?.split(",")[0]?.trim() ?? "";
		const stores = ["--persist-to", state, "--cookie-jar", path.resolve(options["cookie-jar"])];
		const origins = options.port === undefined ? [] : ["--allow-origins", origin];
		const processes = new Processes();
		if (!(await letsIn(service, origin))) {
			const args = ["--port", `${servicePort}`, ...stores, ...origins];
			await processes.start(root, "scripts/dev.ts", args, `${service}/api/health`, { quiet: true });
		}
		const env = {
			PORT: `${port}`,
			// Vite passes on to the page what begins with VITE_. The others stay on the example's server.
			VITE_RUNS_URL: service,
			RUNS_URL: service,
			EDGE_RUNS_STATE: state,
			BETTER_AUTH_SECRET: first("BETTER_AUTH_SECRET"),
			RECORDER_TOKEN: first("RECORDER_TOKENS"),
			READ_TOKEN_SECRET: first("READ_TOKEN_SECRET"),
		};
		await processes.start(folder, example.script, [], origin, { env });
		console.log(`\nThe example is at ${origin}, and edge-runs at ${service}. Ctrl+C ends them.\n`);
		return processes.ended();
	},
	true,
);

/**
 * Whether edge-runs runs already, and lets the example's pages read.
 * @throws {Stop} if it runs and does not
 */
async function letsIn(service: string, origin: string): Promise<boolean> {
	const answer = await fetch(`${service}/api/health`, { headers: { origin } }).catch(() => null);
	if (!answer) return false;
	if (answer.headers.get("access-control-allow-origin") === origin) return true;
	throw new Stop(
		`What runs at ${service} lets no page of ${origin} read. Stop it, and this starts edge-runs by itself; or start it by: ` +
			`npm run dev -- --allow-origins ${origin}`,
	);
}
