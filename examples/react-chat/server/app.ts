import { createClient } from "edge-runs/client";
import { createRecorder, uuidFor } from "edge-runs/recorder";
import { Hono } from "hono";
import type { Message } from "../src/message.ts";
import { answer } from "./agent.ts";
import { createAuth, type Sessions } from "./auth.ts";

export interface Config {
	/** Where this app is. */
	readonly origin: string;
	readonly authSecret: string;
	readonly sessions: Sessions;
	/** Where edge-runs is, and a service token of it. The token stays on this server. */
	readonly runsUrl: string;
	readonly recorderToken: string;
}

/** The app's own server: sign-in, messages, and the agent. It runs in Node and in Workers. */
export async function createApp({ origin, authSecret, sessions, runsUrl, recorderToken }: Config) {
	const auth = await createAuth({ origin, secret: authSecret, sessions });
	const recorder = createRecorder({ url: runsUrl, token: recorderToken });
	const runs = createClient(runsUrl, { headers: { authorization: `Bearer ${recorderToken}` } });
	/** In memory, by user. Yours are in your database. */
	const conversations = new Map<string, Message[]>();

	const app = new Hono<{ Variables: { userId: string; chatId: string; messages: Message[] } }>();

	app.on(["GET", "POST"], "/api/auth/*", (c) => auth.handler(c.req.raw));

	app.use("/api/chat/*", async (c, next) => {
		const session = await auth.api.getSession({ headers: c.req.raw.headers });
		if (!session) return c.json({ message: "Please sign in." }, 401);
		const userId = session.user.id;
		const messages = conversations.get(userId) ?? [];
		conversations.set(userId, messages);
		c.set("userId", userId);
		c.set("chatId", uuidFor("chat", userId));
		c.set("messages", messages);
		return next();
	});

	app.get("/api/chat", async (c) => {
		const { userId, chatId, messages } = c.var;
		// So that edge-runs knows the chat and its owner before the first run. The chat works without edge-runs, too.
		await runs.registerChat(chatId, userId).catch((error) => console.warn(`The chat is not registered: ${error}`));
		return c.json({ chatId, messages });
	});

	app.post("/api/chat/messages", async (c) => {
		const { userId, chatId, messages } = c.var;
		const { id, text } = await c.req.json();
		if (typeof id !== "string" || typeof text !== "string" || text.length > 2_000) {
			return c.json({ message: "A message has an id, and a text of up to 2,000 characters." }, 400);
		}
		messages.push({ id, from: "user", text });
		const reply = await answer(recorder, { userId, chatId, messageId: id, text }).then(
			(said) => ({ from: "agent", text: said }) as const,
			(error: Error) => ({ from: "agent", text: `I could not answer: ${error.message}.`, failed: true }) as const,
		);
		messages.push({ id: `${id}/reply`, ...reply });
		return c.body(null, 204);
	});

	return app;
}
