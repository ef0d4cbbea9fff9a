import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { SiteAddress } from "./site.ts";

/** A proxy before a site whose open answers can go dead: nothing more comes through, and nothing is closed. */
export interface DyingProxy {
	readonly site: SiteAddress;
	/** Stops what is being answered now. Later requests pass. */
	killOpenAnswers(): void;
	close(): void;
}

export async function startDyingProxy(site: SiteAddress): Promise<DyingProxy> {
	const open = new Set<() => void>();
	const server = createServer((incoming, outgoing) => {
		const { method, url, headers } = incoming;
		const passed = request({ port: site.port, method, path: url, headers }, (answer) => {
			outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
			outgoing.flushHeaders();
			answer.pipe(outgoing);
			const kill = () => {
				answer.unpipe(outgoing);
				answer.resume();
			};
			open.add(kill);
			answer.once("close", () => open.delete(kill));
		});
		passed.once("error", () => outgoing.destroy());
		outgoing.once("close", () => passed.destroy());
		incoming.pipe(passed);
	});
	await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
	return {
		site: { ...site, port: (server.address() as AddressInfo).port },
		killOpenAnswers() {
			for (const kill of open) kill();
		},
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}
