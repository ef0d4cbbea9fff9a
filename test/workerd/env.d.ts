declare namespace Cloudflare {
	interface Env extends Required<import("../../src/env.ts").Env> {
		/** As the limiters without `SMALL_`, but 3 a minute; see vitest.config.ts. */
		SMALL_READ_LIMIT: RateLimit;
		SMALL_WRITE_LIMIT: RateLimit;
		SMALL_OPERATOR_LIMIT: RateLimit;
		SMALL_SIGN_IN_LIMIT: RateLimit;
		/** Set by `npm run fuzz`, else empty. */
		FUZZ_SECONDS: string;
		FUZZ_SEED: string;
		MIGRATIONS: import("@cloudflare/vitest-plugin").D1Migration[];
	}
	interface GlobalProps {
		mainModule: typeof import("../../src/index.ts");
	}
}

declare module "*?raw" {
	const text: string;
	export default text;
}
