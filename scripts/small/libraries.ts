import path from "node:path";
import { put } from "../put.ts";
import { root } from "../wrangler.ts";
import { makeSmallDrizzle } from "./drizzle.ts";
import { makeSmallZod } from "./zod.ts";

/**
 * The libraries of which the Worker is bundled with a part (`[alias]` in wrangler.toml). No bundler can leave the rest out
 * by itself: classes hold on to it that are used.
 */
const MAKERS = { zod: makeSmallZod, "drizzle-orm": makeSmallDrizzle };

export const SMALL_LIBRARIES = Object.keys(MAKERS);

export async function makeSmallLibraries(): Promise<void> {
	for (const [name, make] of Object.entries(MAKERS)) put(path.join(root, "dist", `${name}.js`), await make());
}
