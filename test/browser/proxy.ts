import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { SiteAddress } from "./site.ts";

/** A proxy before a site, as an unreliable network: open answers can go dead, and connections be refused. */
export interface DyingProxy {
	readonly site: SiteAddress;
	/** Stops what is being answered now. Later requests pass. */
	killOpenAnswers(): void;
	/** Closes what is open, and takes no connection until `accept`: a server that is down. */
	refuse(): Promise<void>;
	accept(): Promise<void>;
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
	const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "localhost", resolve));
	await listen(0);
	const { port } = server.address() as AddressInfo;
	return {
		site: { ...site, port },
		refuse: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
		accept: () => listen(port),
		killOpenAnswers() {
			for (const kill of open) kill();
		},
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}
