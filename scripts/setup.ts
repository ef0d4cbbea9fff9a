/** `npm run setup`: gives the deployed Worker its secrets. */
import { command, Stop } from "./command-line.ts";
import { readEnvironment } from "./deploy/environment.ts";
import { describeSetUp, namesOfSecrets, setUp } from "./deploy/secrets.ts";

const HELP = `Gives the Worker in your Cloudflare account its secrets (first: npx wrangler login):

  npm run setup
  npm run setup -- --env staging

  --env NAME   an environment of wrangler.toml; production unless given
  --dry-run    says what it would do; needs no account
  --help       says this

BETTER_AUTH_SECRET is asked for; RECORDER_TOKENS, OPERATOR_TOKENS and READ_TOKEN_SECRET are made up; variables of the
environment with these names come first. What was made up is kept in .secrets.NAME, for you to put where your secrets
are. What is set already stays.`;

const OPTIONS = { env: { type: "string" }, "dry-run": { type: "boolean", default: false } } as const;

await command(HELP, OPTIONS, async ({ values: options }) => {
	const environment = await readEnvironment(options.env);
	if (options["dry-run"]) return console.log(describeSetUp(environment));
	const known = await namesOfSecrets(environment).catch((error: Error) => {
		throw error instanceof Stop ? new Stop(`${error.message}\n\n${describeSetUp(environment)}`) : error;
	});
	await setUp(environment, known);
});
