declare namespace Cloudflare {
	interface Env extends Required<import("../src/env").Env> {
		MIGRATIONS: import("@cloudflare/vitest-plugin").D1Migration[];
	}
	interface GlobalProps {
		mainModule: typeof import("../src/index");
	}
}

declare module "*?raw" {
	const text: string;
	export default text;
}
