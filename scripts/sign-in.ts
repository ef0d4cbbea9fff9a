import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The one cookie of a jar that `npm run dev` wrote for curl. */
export function readCookieJar(file: string): { name: string; value: string } {
	const line = readFileSync(file, "utf8").trim().split("\n").at(-1) ?? "";
	const [name = "", value = ""] = line.split("\t").slice(-2);
	return { name, value };
}

/**
 * Serves a link that signs a browser on this machine in and goes on to a page. It is a separate server, so that the
 * Worker has no other way in than better-auth's; the browser sends the cookie to both, since cookies know no ports (RFC 6265, 8.5).
 *
 * The link works once, and cannot be guessed: whoever else is on this machine may ask this port, but did not read the
 * terminal. The `Host` is looked at, too: a page on the web whose name leads here (DNS rebinding) gets nothing.
 *
 * @param port if it is taken, another one is used
 * @param tell gets the link, and another one whenever the last has been used
 */
export async function serveSignIn(
	port: number,
	cookieJar: string,
	page: string,
	tell: (link: string) => void,
): Promise<void> {
	let host = "";
	let path = "";
	const newLink = () => {
		path = `/${randomBytes(16).toString("base64url")}`;
		return `http://${host}${path}`;
	};
	const server = createServer((request, response) => {
		if (request.method !== "GET" || request.headers.host !== host || request.url !== path) {
			response.writeHead(404, { "content-type": "text/plain" });
			return response.end("No such link. It works once: the terminal of npm run dev shows the one that counts.\n");
		}
		const { name, value } = readCookieJar(cookieJar);
		response.writeHead(302, { location: page, "set-cookie": `${name}=${value}; Path=/; HttpOnly; SameSite=Lax` }).end();
		tell(newLink());
	});
	// This server alone does not keep the process alive.
	server.unref();
	const listen = (wish: number) =>
		new Promise<number>((resolve, reject) => {
			server.once("error", reject);
			server.listen(wish, "localhost", () => resolve((server.address() as AddressInfo).port));
		});
	host = `localhost:${await listen(port).catch(() => listen(0))}`;
	tell(newLink());
}
