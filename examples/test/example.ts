import path from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import type { SiteAddress } from "../../test/browser/site.ts";
import { freePort, Server, temporaryFolder } from "../../test/node/dev-server.ts";

/** The first start of an example installs its packages. */
const SECONDS = 240;

/** An example and edge-runs beside it, as its one command starts them, with ports and stores of their own. */
export class Example {
	readonly #home = temporaryFolder();
	readonly #server: Server;
	/** Where its page is. */
	readonly origin: string;
	/** What the tests of pages take for a site: edge-runs, and where its demo user's session is. */
	readonly service: SiteAddress;

	private constructor(name: string, port: number, servicePort: number) {
		const { folder } = this.#home;
		this.origin = `http://localhost:${port}`;
		const [state, cookieJar] = [path.join(folder, "state"), path.join(folder, "cookies.txt")];
		this.service = { port: servicePort, state, cookieJar, signInLink: "" };
		const ports = ["--port", `${port}`, "--service-port", `${servicePort}`];
		const stores = ["--persist-to", state, "--cookie-jar", cookieJar];
		this.#server = new Server("example.ts", [name, ...ports, ...stores]);
	}

	static async start(name: string): Promise<Example> {
		const example = new Example(name, await freePort(), await freePort());
		await example.#server.says(/The example is at /, SECONDS);
		return example;
	}

	/** Ends both, as Ctrl+C does. */
	async stop(): Promise<number | null> {
		const { code } = await this.#server.stop();
		this.#home.remove();
		return code;
	}
}

/** What axe finds wrong with a page. */
export async function violationsOf(page: Page): Promise<string[]> {
	await page.evaluate(axe.source);
	const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
	return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** How it is looked at. */
export const SIGHTS = [
	["on a desk, in light", { viewport: { width: 1120, height: 720 }, colorScheme: "light" }],
	["on a phone, in dark", { viewport: { width: 360, height: 740 }, colorScheme: "dark" }],
] as const;
