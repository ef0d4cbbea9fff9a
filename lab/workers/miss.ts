/*
 * To be imported before a Worker: no entry that it puts into a cache is ever found again.
 * So each of its reads is a first read. Lookups and writes are real, under keys that are never used twice.
 */

const real = caches;
let count = 0;

function unusedKey(key: RequestInfo | URL): string {
	const url = new URL(key instanceof Request ? key.url : key);
	url.searchParams.set("unused", String(count++));
	return url.href;
}

const forgetful = (cache: Cache): Pick<Cache, "match" | "put" | "delete"> => ({
	match: (key, options) => cache.match(unusedKey(key), options),
	put: (key, response) => cache.put(unusedKey(key), response),
	delete: (key, options) => cache.delete(unusedKey(key), options),
});

const storage = {
	default: forgetful(real.default),
	open: async (name: string) => forgetful(await real.open(name)),
};
Object.defineProperty(globalThis, "caches", { value: storage, configurable: true });

export {};
