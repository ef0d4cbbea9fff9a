import { randomBytes, randomUUID } from "node:crypto";
import { inArray } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { serializeSigned } from "hono/utils/cookie";
import { chats, workflowRuns } from "../src/db/schema.ts";
import { CHATS } from "./seed/chats.ts";
import { runsOfEveryField } from "./seed/every-field.ts";
import { at, type Chat, chat, type Run, run, step, USER } from "./seed/rows.ts";

const seedChats: Chat[] = [
	chat(CHATS.example),
	chat(CHATS.everyStatus),
	chat(CHATS.empty),
	chat(CHATS.anotherUsers, { userId: "another-user" }),
	chat(CHATS.deleted, { deletedAt: "2024-02-06T00:00:00.000Z" }),
	chat(CHATS.everyField),
];

const seedRuns: Run[] = [
	run(
		"5b0c0f1e-6a39-4b61-9f0a-2f6b8f0e7d11",
		CHATS.example,
		{ status: "completed", startedAt: "2024-02-04T12:00:00.000Z", completedAt: "2024-02-04T12:01:30.000Z" },
		[
			{
				id: "step-1",
				status: "completed",
				startedAt: "2024-02-04T12:00:00.000Z",
				completedAt: "2024-02-04T12:00:45.000Z",
			},
		],
	),
	run("0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e05", CHATS.everyStatus, { status: "pending" }, [
		step(1, "Fetch sources", "pending"),
		step(2, "Summarise", "pending"),
	]),
	run("0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e04", CHATS.everyStatus, { status: "running", startedAt: at("09:30:00") }, [
		step(1, "Fetch sources", "completed", "09:30:00", "09:30:12"),
		step(2, "Summarise", "running", "09:30:12"),
		step(3, "Write answer", "pending"),
	]),
	run(
		"0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e03",
		CHATS.everyStatus,
		{
			status: "failed",
			startedAt: at("09:20:00"),
			completedAt: at("09:20:41"),
			error: JSON.stringify({ message: 'Step "Summarise" failed' }),
		},
		[
			step(1, "Fetch sources", "completed", "09:20:00", "09:20:11"),
			step(2, "Summarise", "failed", "09:20:11", "09:20:41", "The model did not answer within 30 s"),
			step(3, "Write answer", "cancelled", undefined, "09:20:41"),
		],
	),
	run(
		"0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e02",
		CHATS.everyStatus,
		{ status: "cancelled", startedAt: at("09:10:00"), completedAt: at("09:10:20") },
		[
			step(1, "Fetch sources", "completed", "09:10:00", "09:10:09"),
			step(2, "Summarise", "cancelled", "09:10:09", "09:10:20"),
		],
	),
	run(
		"0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e01",
		CHATS.everyStatus,
		{ status: "completed", startedAt: at("09:00:00"), completedAt: at("09:01:05") },
		[
			step(1, "Fetch sources", "completed", "09:00:00", "09:00:10"),
			step(2, "Summarise", "completed", "09:00:10", "09:00:40"),
			step(3, "Translate", "completed", "09:00:10", "09:00:52"),
			step(4, "Write answer", "completed", "09:00:52", "09:01:05"),
		],
	),
	run(
		"0a4c1de2-93c7-4c2b-8f0e-1d2c3b4a5e06",
		CHATS.anotherUsers,
		{ status: "completed", startedAt: at("08:00:00"), completedAt: at("08:00:30") },
		[step(1, "Fetch sources", "completed", "08:00:00", "08:00:30")],
	),
	...runsOfEveryField(CHATS.everyField),
];

/** Resets the seeded chats to the state described here. Other chats stay as they are. */
export async function seedDatabase(d1: Parameters<typeof drizzle>[0]): Promise<void> {
	const db = drizzle(d1);
	const ids = Object.values(CHATS);
	const statements: [BatchItem<"sqlite">, ...BatchItem<"sqlite">[]] = [
		db.delete(workflowRuns).where(inArray(workflowRuns.chatId, ids)),
		db.delete(chats).where(inArray(chats.id, ids)),
		db.insert(chats).values(seedChats),
		...seedRuns.map((row) => db.insert(workflowRuns).values(row)),
	];
	await db.batch(statements);
}

const SESSION_DAYS = 7;
const SESSION_SECONDS = SESSION_DAYS * 24 * 60 * 60;

/**
 * Signs the seeded user in, as better-auth does: stores a session in KV and signs its cookie.
 * @returns a cookie jar in the Netscape format, which curl reads with `-b`
 */
export async function seedSession(
	kv: { put(key: string, value: string, options: { expirationTtl: number }): Promise<void> },
	secret: string,
): Promise<string> {
	const token = randomBytes(24).toString("base64url");
	const now = new Date();
	const expiresAt = new Date(now.getTime() + SESSION_SECONDS * 1000);
	const user = {
		id: USER,
		name: "Demo User",
		email: "demo@example.com",
		emailVerified: true,
		createdAt: now,
		updatedAt: now,
	};
	const session = { id: randomUUID(), userId: USER, token, expiresAt, createdAt: now, updatedAt: now };
	await kv.put(token, JSON.stringify({ session, user }), { expirationTtl: SESSION_SECONDS });

	const name = "better-auth.session_token";
	const value = (await serializeSigned(name, token, secret)).slice(name.length + 1);
	const fields = ["#HttpOnly_localhost", "FALSE", "/", "FALSE", Math.floor(expiresAt.getTime() / 1000), name, value];
	return `# Netscape HTTP Cookie File\n# Written by "npm run dev": the session of ${USER}, for ${SESSION_DAYS} days.\n\n${fields.join("\t")}\n`;
}
