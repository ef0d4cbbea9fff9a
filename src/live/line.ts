import { hubStub } from "../db/hub.ts";
import { withDeadline } from "../deadline.ts";
import { readConfig } from "../env.ts";
import { logError } from "../log.ts";
import type { Scope } from "../scope.ts";
import type { Inbox } from "./inbox.ts";
import { PING, PONG } from "./message.ts";

/** A hub that cannot be reached is tried again after at most so long, doubling each time. */
const MIN_PAUSE_MILLISECONDS = 1_000;
const MAX_PAUSE_MILLISECONDS = 60_000;

/** A stream's line to the hub of its chat: a WebSocket. What the hub tells goes into the inbox. */
export class Line {
	readonly #scope: Scope;
	readonly #chatId: string;
	readonly #inbox: Inbox;
	#socket: WebSocket | null = null;
	#failures = 0;
	#hasPong = true;
	/** When it may be opened next, in milliseconds since the epoch. */
	opensAt = 0;

	constructor(scope: Scope, chatId: string, inbox: Inbox) {
		this.#scope = scope;
		this.#chatId = chatId;
		this.#inbox = inbox;
		if (!scope.env.HUB) this.opensAt = Number.POSITIVE_INFINITY;
	}

	get isOpen(): boolean {
		return this.#socket !== null;
	}

	/**
	 * Dials in. From then on nothing is missed: whatever was written before, a read of D1 shows.
	 * @returns whether it is open; if not, it may be tried again at `opensAt`
	 */
	async open(): Promise<boolean> {
		const { env } = this.#scope;
		const stub = hubStub(env, this.#chatId);
		if (!stub) return false;
		try {
			const dialled = stub.fetch("https://hub.invalid/", { headers: { upgrade: "websocket" } });
			const { webSocket } = await withDeadline(dialled, readConfig(env).storeTimeoutSeconds).catch((error) => {
				// A socket that comes later is nobody's.
				dialled.then(({ webSocket }) => hangUp(webSocket)).catch(() => {});
				throw error;
			});
			if (!webSocket) throw new Error("the hub opened no socket");
			this.#use(webSocket);
			return true;
		} catch (error) {
			logError(this.#scope, { event: "hub", doing: "dial" }, error);
			this.#rest(this.#failures++);
			return false;
		}
	}

	/** Asks the hub for a sign of life. If the last one was not answered, the line is dead. */
	ping(): void {
		if (!this.#socket) return;
		try {
			if (!this.#hasPong) throw new Error("the last one was not answered");
			this.#hasPong = false;
			this.#socket.send(PING);
		} catch {
			this.#drop();
		}
	}

	close(): void {
		hangUp(this.#socket);
		this.#socket = null;
	}

	#use(socket: WebSocket): void {
		socket.accept();
		this.#socket = socket;
		this.#hasPong = true;
		const drop = () => {
			if (this.#socket === socket) this.#drop();
		};
		socket.addEventListener("message", ({ data }) => {
			this.#failures = 0;
			if (data === PONG) this.#hasPong = true;
			else if (this.#socket === socket) this.#inbox.put(String(data));
		});
		socket.addEventListener("close", drop);
		socket.addEventListener("error", drop);
	}

	/** The hub has gone, e.g. by a deploy: all of its streams lose their lines at once, and must not dial at once. */
	#drop(): void {
		this.close();
		this.#rest(this.#failures++);
		this.#inbox.ring();
	}

	#rest(failures: number): void {
		const most = Math.min(MIN_PAUSE_MILLISECONDS * 2 ** failures, MAX_PAUSE_MILLISECONDS);
		this.opensAt = Date.now() + Math.random() * most;
	}
}

function hangUp(socket: WebSocket | null): void {
	try {
		socket?.close(1000);
	} catch {
		// It was closed already.
	}
}
