import path from "node:path";
import { parseEnv } from "node:util";
import { DevServer, freePort, readText, temporaryFolder } from "../node/dev-server.ts";

/** A dev server with a state of its own, and what a test needs to talk to it. */
export class Site {
	readonly #home = temporaryFolder();
	#server: DevServer | undefined;
	/** What `npm run dev` prints for a browser: a link that signs it in. */
	signInLink = "";

	readonly port: number;

	private constructor(port: number) {
		this.port = port;
	}

	static async start(): Promise<Site> {
		const site = new Site(await freePort());
		await site.start();
		return site;
	}

	/** Starts the server, or starts it again on the same state. */
	async start(): Promise<void> {
		const options = ["--port", `${this.port}`, "--persist-to", this.state];
		this.#server = new DevServer(...options, "--cookie-jar", this.cookieJar);
		this.signInLink = /signed in: (\S+)/.exec(await this.#server.ready())?.[1] ?? "";
	}

	async stop(): Promise<void> {
		await this.#server?.stop();
		this.#server = undefined;
	}

	/** Stops it for good. */
	async dispose(): Promise<void> {
		await this.stop();
		this.#home.remove();
	}

	/** Where its stores are. */
	get state(): string {
		return path.join(this.#home.folder, "state");
	}

	/** Where the seeded user's session is, written for curl. */
	get cookieJar(): string {
		return path.join(this.#home.folder, "cookies.txt");
	}
}

/** What a test is told of a site. */
export interface SiteAddress {
	readonly port: number;
	readonly state: string;
	readonly cookieJar: string;
	readonly signInLink: string;
}

export const originOf = ({ port }: SiteAddress) => `http://localhost:${port}`;

/** Calls the API as a recorder, and throws unless it is done. */
export async function record(site: SiteAddress, method: string, pathname: string, body?: unknown): Promise<void> {
	const [token] = (parseEnv(readText(".dev.vars"))["RECORDER_TOKENS"] ?? "").split(",");
	const response = await fetch(`${originOf(site)}${pathname}`, {
		method,
		headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	if (!response.ok) throw new Error(`${method} ${pathname}: ${response.status} ${await response.text()}`);
}
