import { writeFileSync } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { serveSignIn } from "../../scripts/sign-in.ts";
import { freePort, temporaryFolder } from "./dev-server.ts";

const { folder, remove } = temporaryFolder();
const links: URL[] = [];
beforeAll(async () => {
	const jar = path.join(folder, "cookies.txt");
	writeFileSync(jar, "#HttpOnly_localhost\tFALSE\t/\tFALSE\t0\tbetter-auth.session_token\tthe-session");
	await serveSignIn(await freePort(), jar, "http://localhost:3026/chats/x", (link) => links.push(new URL(link)));
});
afterAll(remove);

/** Asks the link's server, as who sends this `Host` would: fetch sends its own. */
function ask(pathname: string, { host = links[0]?.host as string, method = "GET" } = {}) {
	return new Promise<{ status: number | undefined; cookie: string[] | undefined; location: string | undefined }>(
		(resolve, reject) => {
			const { hostname, port } = links[0] as URL;
			request({ hostname, port, path: pathname, method, headers: { host } }, (response) => {
				const { "set-cookie": cookie, location } = response.headers;
				resolve({ status: response.statusCode, cookie, location });
				response.resume();
			})
				.once("error", reject)
				.end();
		},
	);
}

it("is given to nobody who has not read the terminal, or came by another name", async () => {
	const [link] = links as [URL];
	expect(link.pathname.length).toBeGreaterThan(16);
	for (const sent of [
		await ask("/"),
		await ask("/x"),
		await ask(`${link.pathname}/`),
		await ask(link.pathname, { host: `evil.example:${link.port}` }),
		await ask(link.pathname, { host: `127.0.0.1:${link.port}` }),
		await ask(link.pathname, { method: "HEAD" }),
	]) {
		expect(sent).toEqual({ status: 404, cookie: undefined, location: undefined });
	}
});

it("works once, and the terminal shows the next one", async () => {
	const { pathname } = links.at(-1) as URL;
	expect(await ask(pathname)).toEqual({
		status: 302,
		cookie: [expect.stringMatching(/^better-auth\.session_token=the-session; Path=\/; HttpOnly/)],
		location: "http://localhost:3026/chats/x",
	});
	expect((await ask(pathname)).status).toBe(404);
	expect(links).toHaveLength(2);
	expect((await ask((links.at(-1) as URL).pathname)).status).toBe(302);
});
