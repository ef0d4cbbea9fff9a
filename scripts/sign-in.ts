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
 * @param port if it is taken, another one is used
 * @returns the link
 */
export async function serveSignIn(port: number, cookieJar: string, page: string): Promise<string> {
	const server = createServer((_, response) => {
		const { name, value } = readCookieJar(cookieJar);
		response.writeHead(302, { location: page, "set-cookie": `${name}=${value}; Path=/; HttpOnly; SameSite=Lax` }).end();
	});
	// This server alone does not keep the process alive.
	server.unref();
	const listen = (wish: number) =>
		new Promise<number>((resolve, reject) => {
			server.once("error", reject);
			server.listen(wish, "localhost", () => resolve((server.address() as AddressInfo).port));
		});
	return `http://localhost:${await listen(port).catch(() => listen(0))}`;
}
