// A server without any package: it serves the page, makes read tokens, and reports a run as an engine would.
import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { PORT = "3000", RUNS_URL = "http://localhost:3026", RECORDER_TOKEN, READ_TOKEN_SECRET } = process.env;
if (!RECORDER_TOKEN || !READ_TOKEN_SECRET) {
	throw new Error("RECORDER_TOKEN and READ_TOKEN_SECRET are not set. `npm run example:plain-html` sets them.");
}

const CHAT = "6b1f0c9e-2d3a-4f58-9c7e-1a2b3c4d5e6f";
/** Who is signed in here: somebody of your own sign-in, whatever that is. */
const USER = "customer-7";

/** A JWT by HS256 that opens this chat to this user for five minutes. Any JWT library makes one, in any language. */
function readToken() {
	const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
	const claims = { sub: USER, chat: CHAT, exp: Math.floor(Date.now() / 1000) + 300 };
	const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
	return `${signed}.${createHmac("sha256", READ_TOKEN_SECRET).update(signed).digest("base64url")}`;
}

/** Reports to edge-runs. The service token stays on this server. */
async function put(path, body) {
	const headers = { authorization: `Bearer ${RECORDER_TOKEN}`, "content-type": "application/json" };
	const answer = await fetch(RUNS_URL + path, { method: "PUT", headers, body: JSON.stringify(body) });
	if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
}

/** A run of two steps. Each report holds what has changed. */
async function playRun() {
	const path = `/api/chats/${CHAT}/workflow-runs/${randomUUID()}`;
	const run = { workflowId: "0d9c4b1a-7e6f-4a5b-8c3d-2e1f0a9b8c7d", workflowName: "Refund" };
	const now = () => new Date().toISOString();
	await put(path, { ...run, status: "running", startedAt: now() });
	for (const [position, name] of ["Look at the order", "Pay back"].entries()) {
		const step = { id: `step-${position + 1}`, name, position };
		await put(path, { ...run, status: "running", steps: [{ ...step, status: "running", startedAt: now() }] });
		await sleep(1_500);
		await put(path, { ...run, status: "running", steps: [{ ...step, status: "completed", completedAt: now() }] });
	}
	await put(path, { ...run, status: "completed", completedAt: now(), output: "€ 42.00" });
}

const TYPES = { "/index.html": "text/html", "/page.js": "text/javascript", "/style.css": "text/css" };

const server = createServer(async ({ method, url }, response) => {
	const file = url === "/" ? "/index.html" : url;
	if (method === "GET" && Object.hasOwn(TYPES, file)) {
		const text = await readFile(new URL(`.${file}`, import.meta.url), "utf8");
		response.setHeader("content-type", `${TYPES[file]}; charset=utf-8`);
		response.end(text.replaceAll("https://runs.example.com", RUNS_URL));
	} else if (method === "GET" && url === "/runs-token") {
		response.setHeader("cache-control", "no-store");
		response.end(readToken());
	} else if (method === "POST" && url === "/ask") {
		playRun().catch(console.error);
		response.writeHead(202).end();
	} else {
		response.writeHead(404).end();
	}
});

await put(`/api/chats/${CHAT}`, { userId: USER });
server.listen(Number(PORT));
