import { randomBytes } from "node:crypto";
import { createReadToken } from "#recorder/read-token.ts";
import { Stop, wholeNumber } from "../command-line.ts";
import { findSecret } from "../tokens.ts";

/** A minute to a day, which is the longest that the service takes. */
const MAX_MINUTES = 1_440;

/** A token, for a program, and what to do with it, for a person. */
export interface Made {
	readonly token: string;
	readonly advice: string;
}

const KINDS = {
	service: { secret: "RECORDER_TOKENS", user: "the engine", variable: "RECORDER_TOKEN" },
	operator: { secret: "OPERATOR_TOKENS", user: "whoever operates the service", variable: "OPERATOR_TOKEN" },
} as const;

export const isKind = (kind: string | undefined): kind is keyof typeof KINDS =>
	kind !== undefined && Object.hasOwn(KINDS, kind);

/** A new random token for the service's list: 256 bits. */
export function makeToken(kind: keyof typeof KINDS): Made {
	const { secret, user, variable } = KINDS[kind];
	const steps = [
		`1. npx wrangler secret put ${secret} --env=    and enter the new token and the old ones, with commas: new,old`,
		`2. Give it to ${user}, as ${variable}.`,
		"3. When the log shows no old token in use (`token`), put the secret again without the old one.",
	];
	return {
		token: randomBytes(32).toString("hex"),
		advice: `The service does not know it yet. To change the token without a pause:\n${steps.join("\n")}`,
	};
}

interface ReadOptions {
	readonly user?: string;
	readonly chat?: string;
	readonly minutes: string;
}

/** A read token by the environment's READ_TOKEN_SECRET, or for the local service by that of `.dev.vars`. @throws {Stop} */
export async function makeReadToken({ user, chat, minutes }: ReadOptions): Promise<Made> {
	if (user === undefined) throw new Stop("Whose? --user ID, the owner with whom the chats were registered");
	const { secret, from } = findSecret("READ_TOKEN_SECRET");
	const expiresInSeconds = 60 * wholeNumber("--minutes", minutes, MAX_MINUTES);
	try {
		const token = await createReadToken({ secret, userId: user, chatId: chat, expiresInSeconds });
		const what = chat === undefined ? "all chats" : "one chat";
		return {
			token,
			advice: `Reads ${what} of ${user} for ${minutes} min, where the service has the secret of ${from}.`,
		};
	} catch (error) {
		throw new Stop(`${from}: ${(error as Error).message}.`);
	}
}
