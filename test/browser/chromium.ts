import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type LaunchOptions, type Page } from "playwright-core";
import { readCookieJar } from "../../scripts/sign-in.ts";
import { originOf, type SiteAddress } from "./site.ts";

/** Debian's. The one without windows needs half as long for the same. */
const DEBIANS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

const executable = process.env["CHROMIUM"] ?? DEBIANS.find(existsSync);

export const hasChromium = executable !== undefined && existsSync(executable);

/** Where it was looked for. */
export const PLACES = process.env["CHROMIUM"] ?? DEBIANS.join(" or ");

let shared: Promise<Browser> | undefined;

/** One Chromium for all files: each start takes more than a second of a core. It ends with the process. */
export function sharedBrowser(): Promise<Browser> {
	shared ??= launch();
	return shared;
}

/** Closes the windows that tests which failed have left open. */
export async function closeWindows(browser: Browser): Promise<void> {
	for (const context of browser.contexts()) await context.close();
}

/** Chromium without a sandbox, which it refuses to have as root, and without requests of its own. */
export function launch(options: LaunchOptions = {}): Promise<Browser> {
	return chromium.launch({
		...options,
		...(executable !== undefined && { executablePath: executable }),
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			// Else it starts a process ahead for the next page, and most tests have one page.
			"--renderer-process-limit=1",
		],
	});
}

export interface Visit {
	readonly context: BrowserContext;
	readonly page: Page;
	/** What the page must not do: errors, broken content security policies, requests to other hosts. */
	readonly complaints: string[];
}

type Options = NonNullable<Parameters<Browser["newContext"]>[0]> & { signedIn?: boolean };

/** A new browser window, with the seeded user's session unless told otherwise. */
export async function visit(browser: Browser, site: SiteAddress, options: Options = {}): Promise<Visit> {
	const { signedIn = true, ...rest } = options;
	const context = await browser.newContext({ baseURL: originOf(site), reducedMotion: "reduce", ...rest });
	if (signedIn) await context.addCookies([{ ...readCookieJar(site.cookieJar), url: originOf(site), httpOnly: true }]);
	const complaints: string[] = [];
	await context.exposeFunction("complain", (text: string) => complaints.push(text));
	const page = await context.newPage();
	page.on("console", (message) => {
		if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
	});
	page.on("pageerror", (error) => complaints.push(String(error)));
	page.on("request", (request) => {
		if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== originOf(site)) {
			complaints.push(`Request to ${request.url()}`);
		}
	});
	await page.addInitScript(() => {
		document.addEventListener("securitypolicyviolation", (event) => {
			(window as unknown as { complain(text: string): void }).complain(
				`Violates ${event.violatedDirective}: ${event.blockedURI}`,
			);
		});
	});
	return { context, page, complaints };
}
