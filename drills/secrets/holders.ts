import { createReadToken } from "#recorder/index.ts";
import { seedSession } from "../../lab/seed.ts";
import type { storesOf } from "../../lab/server.ts";
import { USER } from "../scene.ts";
import { bearer, type Headed, send } from "../service.ts";

const NAMES = ["BETTER_AUTH_SECRET", "READ_TOKEN_SECRET", "RECORDER_TOKENS", "OPERATOR_TOKENS"] as const;
type Name = (typeof NAMES)[number];
export type Kind = "old" | "new";

export const secretOf = (name: Name, kind: Kind) => `the-${kind}-one-of-${name}-0123456789-0123456789`;
/** The Worker's secrets, each set to something. */
export const setTo = (value: (name: Name) => string) => Object.fromEntries(NAMES.map((name) => [name, value(name)]));

/** Who shows a secret, or what was signed by it. */
interface Holder extends Readonly<Record<Kind, Headed>> {
	readonly name: Name;
	/** @returns the answer's status */
	ask(url: URL, headers: Headed): Promise<number>;
}

export interface Holders {
	readonly all: readonly Holder[];
	/** Who reads by a read token. */
	readonly reader: Readonly<Record<Kind, Headed>>;
}

/** @param chat what the recorder registers */
export async function makeHolders(kv: Awaited<ReturnType<typeof storesOf>>["kv"], chat: string): Promise<Holders> {
	const get = (path: string) => async (url: URL, headers: Headed) => (await send(url, path, { headers })).status;
	const read = get("/api/workflow-runs");
	const register = async (url: URL, headers: Headed) => {
		const sent = { ...headers, "content-type": "application/json" };
		const body = JSON.stringify({ userId: USER });
		return (await send(url, `/api/chats/${chat}`, { method: "PUT", headers: sent, body })).status;
	};
	const both = async (name: Name, make: (secret: string) => Promise<Headed>) => ({
		name,
		old: await make(secretOf(name, "old")),
		new: await make(secretOf(name, "new")),
	});
	const cookies = await both("BETTER_AUTH_SECRET", async (secret) => ({
		cookie: await seedSession(kv, secret, USER),
	}));
	const readTokens = await both("READ_TOKEN_SECRET", async (secret) =>
		bearer(await createReadToken({ secret, userId: USER })),
	);
	const recorders = await both("RECORDER_TOKENS", async (token) => bearer(token));
	const operators = await both("OPERATOR_TOKENS", async (token) => bearer(token));
	return {
		all: [
			{ ...cookies, ask: read },
			{ ...readTokens, ask: read },
			{ ...recorders, ask: register },
			{ ...operators, ask: get("/api/admin/health") },
		],
		reader: readTokens,
	};
}

/** All holders ask all of these versions, by what they have of these kinds, many times at once. @returns answers, counted */
export async function askAll<Version extends string>(
	{ all }: Holders,
	urls: Readonly<Record<Version, URL>>,
	versions: readonly Version[],
	kinds: readonly Kind[],
): Promise<Map<string, number>> {
	const statuses = new Map<string, number>();
	const askers = versions.flatMap((version) =>
		kinds.flatMap((kind) => all.map((holder) => ({ version, kind, holder }))),
	);
	const asking = askers.map(async ({ version, kind, holder }) => {
		for (let round = 0; round < ROUNDS; round++) {
			const status = await holder.ask(urls[version], holder[kind]);
			const answer = `${holder.name}, ${kind}, ${version}: ${status}`;
			statuses.set(answer, (statuses.get(answer) ?? 0) + 1);
		}
	});
	await Promise.all(asking);
	return statuses;
}

/** How often each asks. */
const ROUNDS = 25;
