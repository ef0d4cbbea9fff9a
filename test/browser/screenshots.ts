/** `npm run screenshots`: takes the documents' pictures of the pages again, into `docs/`. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright-core";
import { CHATS } from "../../scripts/seed/chats.ts";
import { root } from "../node/dev-server.ts";
import { launch, visit } from "./chromium.ts";
import { takeExamples } from "./example-pictures.ts";
import { manyRuns, newChat, report, workingDay } from "./scenes.ts";
import { Site } from "./site.ts";

const DESKTOP = { width: 1120, height: 860 };
const SMALL = { width: 1120, height: 420 };
const PHONE = { width: 390, height: 844 };

const folder = path.join(root, "docs");
mkdirSync(folder, { recursive: true });
const site = await Site.start();
const browser = await launch();

type Options = NonNullable<Parameters<typeof visit>[2]>;

async function take(name: string, url: string, options: Options, prepare?: (page: Page) => Promise<unknown>) {
	const { page, context } = await visit(browser, site, options);
	await page.goto(url);
	await prepare?.(page);
	await save(page, name);
	await context.close();
}

async function save(page: Page, name: string) {
	await page.screenshot({ path: path.join(folder, `${name}.png`) });
	console.log(`docs/${name}.png`);
}

/** A chat product's page, with the element in its sidebar. */
const app = (chat: string) => `<!doctype html><html lang="en"><title>Chat</title>
	<body style="margin:0;display:grid;grid-template-columns:1fr 400px;height:100vh;font:15px system-ui;color:#222">
	<main style="padding:24px;display:flex;flex-direction:column;gap:14px;max-width:560px">
	<p style="align-self:end;background:#e8eefc;padding:10px 14px;border-radius:14px">Which of these papers measure it?</p>
	<p style="background:#f2f2f4;padding:10px 14px;border-radius:14px">I look at twelve sources and write an answer. You see how far I am beside this.</p>
	</main><aside style="padding:16px;border-left:1px solid #ddd;overflow:auto">
	<workflow-runs src="/" chat="${chat}" view="compact"></workflow-runs></aside>
	<script type="module" src="/element.js"></script>`;

const live = (page: Page) => page.waitForSelector("#connection.live");
const withFailure = async (page: Page) => {
	await live(page);
	await page.locator("#runs > .failed > details > summary").click();
	await page.mouse.move(0, 0);
	await page.evaluate(() => (document.activeElement as HTMLElement).blur());
};

try {
	const day = await newChat(site);
	await report(site, day, workingDay());
	const many = await newChat(site);
	await report(site, many, manyRuns(1_000));

	await take("runs-light", `/chats/${day}`, { viewport: DESKTOP }, withFailure);
	await take("runs-dark", `/chats/${day}`, { viewport: DESKTOP, colorScheme: "dark" }, withFailure);
	await take("phone", `/chats/${day}`, { viewport: PHONE, colorScheme: "dark" }, live);
	await take("filtered", `/chats/${day}?status=failed`, { viewport: SMALL }, live);
	await take("many-runs", `/chats/${many}`, { viewport: DESKTOP }, async (page) => {
		await live(page);
		await page.mouse.wheel(0, 30_000);
		await page.waitForFunction(
			() => scrollY > 20_000 && document.elementFromPoint(500, 400)?.closest("#runs") !== null,
		);
	});
	await take("run", `/chats/${day}`, { viewport: SMALL }, async (page) => {
		await page
			.locator("#runs > .failed .facts a")
			.first()
			.evaluate((link) => (link as HTMLElement).click());
		await page.waitForURL("**/runs/*");
		await page.waitForSelector("#connection.ended");
	});
	await take("element", `/chats/${day}`, { viewport: { width: 1120, height: 560 } }, async (page) => {
		await page.route("**/embed", (route) => route.fulfill({ contentType: "text/html", body: app(day) }));
		await page.goto("/embed");
		await page.locator("workflow-runs #connection.live").waitFor();
	});
	await take("no-runs", `/chats/${CHATS.empty}`, { viewport: SMALL }, live);
	await take("signed-out", `/chats/${day}`, { viewport: SMALL, signedIn: false });
	await take("not-yours", `/chats/${CHATS.anotherUsers}`, { viewport: SMALL });
	await take("without-javascript", `/chats/${day}`, { viewport: SMALL, javaScriptEnabled: false });
	await take("api-reference", "/docs", { viewport: DESKTOP }, (page) => page.waitForSelector(".opblock"));
	await take("reconnecting", `/chats/${day}`, { viewport: SMALL }, async (page) => {
		await live(page);
		await site.stop();
		await page.waitForSelector("#connection.reconnecting");
	});
	await takeExamples(browser, save);
} finally {
	await browser.close();
	await site.dispose();
}
