import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sender } from "../../scripts/send.ts";

let server: Server | undefined;
afterEach(() => {
	server?.close();
	vi.restoreAllMocks();
});

/** A server that answers so, whatever it is asked. */
async function answering(listener: RequestListener): Promise<URL> {
	server = createServer(listener);
	await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
	return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const put = (url: URL, tries: number, say?: (message: string) => void) =>
	sender(url, "token", { tries, ...(say && { say }) })("PUT", "/", "{}");

describe("sending reports", () => {
	it.each<[string, RequestListener, RegExp]>([
		[
			"a 522",
			(_, response) => response.writeHead(522).end("<html>"),
			/does not work: it answers 522, 2 times in a row/,
		],
		[
			"a body that is cut",
			(_, { socket }) => socket?.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"),
			/does not work: the request failed \(.+\), 2 times in a row/,
		],
		[
			"JSON that is cut",
			(_, response) => response.writeHead(200, { "content-type": "application/json" }).end('{"data":'),
			/does not work: its answer of 200 was cut short, 2 times in a row/,
		],
		["no HTTP", (_, { socket }) => socket?.destroy(), /does not work: the request failed \(.+\), 2 times in a row/],
	])("gives up in the end on %s, and says what it was", async (_, listener, message) => {
		let asked = 0;
		const url = await answering((request, response) => {
			asked++;
			listener(request, response);
		});
		await expect(put(url, 2)).rejects.toThrow(message);
		expect(asked).toBe(2);
	});

	it.each<[string, RequestListener]>([
		["a page", (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>")],
		[
			"JSON of something else",
			(_, response) => response.writeHead(200, { "content-type": "application/json" }).end("{}"),
		],
	])("stops at once at a 200 with %s", async (_, listener) => {
		await expect(put(await answering(listener), 2)).rejects.toThrow(/answers 200 as edge-runs never does/);
	});

	it.each([
		["6", 6],
		[() => new Date(Date.now() + 100_500).toUTCString(), 100],
		// A timer of more than 2^31 ms would fire at once, again and again.
		["99999999999", 300],
	])("waits for Retry-After: %s, says so, and for five minutes at most", async (asked, seconds) => {
		const retryAfter = typeof asked === "string" ? asked : asked();
		const url = await answering((_, response) => response.writeHead(503, { "retry-after": retryAfter }).end());
		const said: string[] = [];
		// Never ends: what it says is enough.
		void put(url, 2, (message) => said.push(message)).catch(() => {});
		await vi.waitFor(() => expect(said).toHaveLength(1), { timeout: 10_000 });
		expect(said[0]).toMatch(/it answers 503\. Trying again in \d+ s \(1 of 2 tries\)/);
		const told = Number(/in (\d+) s/.exec(said[0] as string)?.[1]);
		expect(told).toBeGreaterThanOrEqual(seconds * 0.8);
		expect(told).toBeLessThanOrEqual(seconds);
	});
});
