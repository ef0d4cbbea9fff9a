/**
 * The documents' commands that test/node/dev.test.ts does not paste into a shell. Each is run by another test, which
 * then holds the text `shows`, or cannot run in a test, for the reason given.
 */
type Elsewhere = { by: string; shows: string } | { cannot: string };

const NEEDS_ACCOUNT = { cannot: "it changes a Cloudflare account" };
const RUNS_TESTS = { cannot: "it runs the tests, this one among them" };

export const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
	"npm ci": { by: ".ci/run", shows: "npm ci" },
	"npm ci && npm test": { by: ".ci/run", shows: "npm ci && npm test" },
	"npm ci --prefix engines-test && npm run test:engines": {
		by: ".ci/run",
		shows: "npm ci --prefix engines-test && npm run test:engines",
	},
	"npm ci --prefix examples/test && npm run test:examples": {
		by: ".ci/run",
		shows: "npm ci --prefix examples/test && npm run test:examples",
	},
	"npm run example:react-chat": { by: "examples/test/react-chat.test.ts", shows: 'Example.start("react-chat")' },
	"npm run example:plain-html": { by: "examples/test/plain-html.test.ts", shows: 'Example.start("plain-html")' },
	"npm ci && npm run dev": { by: "test/node/dev.test.ts", shows: "new DevServer(" },
	"npm run dev": { by: "test/node/dev.test.ts", shows: "new DevServer(" },
	"npm run check": { by: "package.json", shows: '"test": "run-p --aggregate-output --continue-on-error check ' },
	"npm run fix": { cannot: "it would change the files under test; `npm run check` fails where it has something to do" },
	"npx vitest run --project workerd test/workerd/reads/list.test.ts": RUNS_TESTS,
	'npx vitest run --project workerd -t "its name"': RUNS_TESTS,
	"npx vitest --project workerd": RUNS_TESTS,
	"npm run test:node": RUNS_TESTS,
	"npm run test:browser": RUNS_TESTS,
	"npm run test:tools": { by: ".ci/run", shows: "npm run test:tools" },
	"npm run import -- runs.ndjson --url https://YOUR-WORKER": {
		by: "test/node/import.test.ts",
		shows: 'runScript("import.ts", [file, "--url", service.url])',
	},
	"npm run bench": {
		cannot: "it takes half an hour; test/tools/bench.test.ts runs the same code, as small as it gets",
	},
	"npm run fuzz -- --seconds 60": {
		cannot: "it takes a minute; it is test/workerd/hold/fuzz.test.ts, which `npm test` runs for some seconds",
	},
	"npm run soak -- --seconds 60": {
		cannot: "it takes a minute of both cores; test/node/soak.test.ts tests its model of a chat",
	},
	"npm run drill -- restore": { by: "package.json", shows: '"drills": "npm run drill -- --all"' },
	"npm run drills": { by: ".ci/run", shows: "npm run drills" },
	"npx wrangler login": { cannot: "it opens a browser to sign in to Cloudflare" },
	"npx wrangler kv namespace list": NEEDS_ACCOUNT,
	"npm run deploy -- --env staging": { by: "test/tools/deploy.test.ts", shows: '["--env", "staging", ...more]' },
	"npm run setup -- --env staging": { by: "test/tools/deploy.test.ts", shows: '["--env", "staging", ...more]' },
	"npm run db:migrate": { by: "test/tools/deploy.test.ts", shows: '["--migrations-only"]' },
	"git pull": { cannot: "it changes the checkout under test" },
	"npx wrangler deployments list --env=": NEEDS_ACCOUNT,
	"npx wrangler rollback --env=": NEEDS_ACCOUNT,
	"npx wrangler secret put RECORDER_TOKENS --env=": NEEDS_ACCOUNT,
	"npx wrangler d1 time-travel info DB --env= --timestamp=2026-11-24T12:00:00Z": NEEDS_ACCOUNT,
	"npx wrangler d1 time-travel restore DB --env= --bookmark=THE-BOOKMARK": NEEDS_ACCOUNT,
	"npx wrangler d1 time-travel restore DB --env= --timestamp=2026-11-24T12:00:00Z": NEEDS_ACCOUNT,
	...Object.fromEntries(
		[
			"npx wrangler d1 export DB --remote --env= --output=edge-runs.sql",
			"LC_ALL=C awk 'length <= 100000' edge-runs.sql > fitting.sql",
			"echo 'DELETE FROM user_runs WHERE run_id NOT IN (SELECT id FROM workflow_runs);' >> fitting.sql",
			"npx wrangler d1 execute NAME --remote --file=fitting.sql",
		].map((command) => [command, { by: "test/tools/back-up.test.ts", shows: 'commandsOf("docs/operating.md")' }]),
	),
	"npm run deploy": { by: "test/tools/deploy.test.ts", shows: 'await run("deploy.ts")' },
	"npm run alerts": { by: "test/node/alerts.test.ts", shows: "await run()" },
	"npm run alerts -- --skip Retention": { by: "test/node/alerts.test.ts", shows: '"--skip", "Retention"' },
	"npm run setup": { by: "test/tools/deploy.test.ts", shows: 'await run("setup.ts"' },
	'curl "https://api.cloudflare.com/client/v4/accounts/YOUR-ACCOUNT/analytics_engine/sql" -H "Authorization: Bearer YOUR-API-TOKEN" --data "SELECT blob3 AS route, sum(_sample_interval) AS requests FROM edge_runs WHERE index1 = \'request\' GROUP BY route"':
		NEEDS_ACCOUNT,
	"curl https://YOUR-WORKER/api/health": {
		cannot: "it asks a deployed Worker; test/workerd/hold/health.test.ts asks the route",
	},
};

/** What test/node/dev.test.ts runs besides the commands with a status above them. */
export const PASTED: readonly RegExp[] = [
	/^npm run admin -- /,
	/^export (RECORDER|OPERATOR)_TOKEN=/, // before each command that uses it
	/^curl -X GET "http:\/\/localhost:3026/, // the contract's example
];
