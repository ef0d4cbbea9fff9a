/** `npm run deploy`: migrates the database, deploys the Worker, and sees that it has its secrets. */
import { command, Stop } from "./command-line.ts";
import { type Environment, readEnvironment } from "./deploy/environment.ts";
import { namesOfSecrets, setUp } from "./deploy/secrets.ts";
import { wrangler } from "./wrangler.ts";

const HELP = `Migrates the database and deploys the Worker to your Cloudflare account (first: npx wrangler login):

  npm run deploy
  npm run deploy -- --env staging

  --env NAME          an environment of wrangler.toml; production unless given
  --migrations-only   leaves the Worker as it is
  --dry-run           says what it would do, and bundles the Worker; needs no account
  --help              says this

The database is created where there is none of its name, and migrated before the new Worker is there to use it. wrangler
creates the KV namespace of a binding without an id. At a terminal it asks for secrets that are missing, as npm run setup
does. In CI, set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.`;

const OPTIONS = {
	env: { type: "string" },
	"migrations-only": { type: "boolean", default: false },
	"dry-run": { type: "boolean", default: false },
} as const;

await command(HELP, OPTIONS, async ({ values: options }) => {
	const environment = await readEnvironment(options.env);
	if (options["dry-run"]) return dryRun(environment, options["migrations-only"]);
	await migrate(environment);
	if (options["migrations-only"]) return;
	await run("deploy", environment.option);
	await requireSecrets(environment);
});

/** Runs wrangler before the person's eyes. @throws {Stop} if it fails: it has said why */
async function run(...args: string[]): Promise<void> {
	console.log(`\n$ wrangler ${args.join(" ")}`);
	const { code } = await wrangler(args, { show: true });
	if (code !== 0) throw new Stop(`\nStopped: wrangler ${args[0]} failed. Run the same again when that is mended.`);
}

function migrationOf(binding: string, { option }: Environment): string[] {
	return ["d1", "migrations", "apply", binding, "--remote", option];
}

/**
 * A migration needs its database. wrangler creates it at a deployment, which is too late: the Worker would be there before
 * its tables. So the first time it is created here, and wrangler finds it by its name.
 */
async function migrate(environment: Environment): Promise<void> {
	const unknown = environment.databases.filter(({ hasId }) => !hasId);
	const existing = unknown.length > 0 ? await namesOfDatabases() : new Set();
	for (const { name } of unknown) {
		if (existing.has(name)) continue;
		console.log(`\nThere is no database "${name}" yet.`);
		await run("d1", "create", name, "--update-config=false");
	}
	for (const { binding } of environment.databases) await run(...migrationOf(binding, environment));
}

async function namesOfDatabases(): Promise<Set<string>> {
	const { code, stdout, stderr } = await wrangler(["d1", "list", "--json"]);
	if (code !== 0) throw new Stop(`${(stderr || stdout).trim()}\n\nSign in first: npx wrangler login`);
	return new Set((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name));
}

/** A Worker without secrets answers nobody: it is asked for what is missing, or the log says what to run. */
async function requireSecrets(environment: Environment): Promise<void> {
	// A token that may deploy need not be allowed to see this: the deployment itself is done.
	const known = await namesOfSecrets(environment).catch(() => null);
	if (known === null || known.has("BETTER_AUTH_SECRET")) return;
	if (process.stdin.isTTY) return setUp(environment, known);
	const option = environment.label === "production" ? "" : ` -- --env ${environment.label}`;
	console.log(`\n${environment.worker} has no secrets yet and answers nobody. Next: npm run setup${option}`);
}

async function dryRun(environment: Environment, migrationsOnly: boolean): Promise<void> {
	const steps = environment.databases.flatMap(({ binding, name, hasId }) => [
		...(hasId ? [] : [`d1 create ${name}    (if your account has none of this name)`]),
		migrationOf(binding, environment).join(" "),
	]);
	if (!migrationsOnly) steps.push(`deploy ${environment.option}`);
	console.log(`For ${environment.label} this would run:\n${steps.map((step) => `  wrangler ${step}`).join("\n")}`);
	if (!migrationsOnly) await run("deploy", "--dry-run", environment.option);
}
