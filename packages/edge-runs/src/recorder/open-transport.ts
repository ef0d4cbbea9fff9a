import type { Tell } from "./errors.ts";
import { overHttp } from "./http.ts";
import { overBinding } from "./over-binding.ts";
import type { Transport } from "./transport.ts";
import type { RecorderOptions } from "./types.ts";

/** The way to the service that the options name. What is wrong with them is told: there is none then. */
export function openTransport({ url, token, binding, ...options }: RecorderOptions, tell: Tell): Transport | undefined {
	const timeoutMilliseconds = (options.timeoutSeconds ?? 15) * 1000;
	if (binding) return overBinding(binding, timeoutMilliseconds);
	const { fetch: send = (input, init) => fetch(input, init) } = options;
	if (!url || !URL.canParse(url)) tell("configuration", "url is not one, and there is no binding: nothing is recorded");
	else if (!token) tell("configuration", "there is no token: nothing is recorded");
	else return overHttp({ url: new URL(url), token, send, timeoutMilliseconds });
	return undefined;
}
