import type {} from "vitest";
import type { TestProject } from "vitest/node";
import { hasChromium, PLACES } from "./chromium.ts";
import { Site, type SiteAddress } from "./site.ts";

declare module "vitest" {
	interface ProvidedContext {
		site: SiteAddress;
	}
}

/** One dev server for all tests of the page. */
export default async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
	if (!hasChromium) {
		console.warn(
			`The tests of the page are skipped: there is no Chromium at ${PLACES}. Set CHROMIUM to where yours is.`,
		);
		return undefined;
	}
	const site = await Site.start();
	const { port, state, cookieJar, signInLink } = site;
	provide("site", { port, state, cookieJar, signInLink });
	return () => site.dispose();
}
