import path from "node:path";
import { Stop } from "../command-line.ts";
import { root } from "../wrangler.ts";

/** An environment of `wrangler.toml`, as far as a deployment needs it. */
export interface Environment {
	/** As wrangler's option takes it: empty for production, the top level of `wrangler.toml`. */
	readonly option: `--env=${string}`;
	/** For people, and for files' names. */
	readonly label: string;
	/** The Worker's name. */
	readonly worker: string;
	/** The databases that have migrations. Without an id one is found by its name. */
	readonly databases: readonly { readonly binding: string; readonly name: string; readonly hasId: boolean }[];
}

/** What wrangler's configuration has for a database; its own type is not among what it exports. */
interface Database {
	readonly binding: string;
	readonly database_name?: string;
	readonly database_id?: string;
	readonly migrations_dir?: string;
}

/**
 * Reads an environment.
 * @param name undefined: production
 * @throws {Stop} if wrangler.toml has no such environment, or is wrong
 */
export async function readEnvironment(name: string | undefined): Promise<Environment> {
	// It takes a second to load, which --help need not wait for.
	const { unstable_readConfig } = await import("wrangler");
	try {
		const config = unstable_readConfig({ config: path.join(root, "wrangler.toml"), env: name ?? "" });
		return {
			option: `--env=${name ?? ""}`,
			label: name ?? "production",
			worker: config.name ?? "",
			databases: (config.d1_databases as Database[])
				.filter((each) => each.migrations_dir !== undefined)
				.map(({ binding, database_name, database_id }) => ({
					binding,
					name: database_name ?? "",
					hasId: database_id !== undefined,
				})),
		};
	} catch (error) {
		throw new Stop((error as Error).message.trim());
	}
}
