import {
	createContext,
	createElement,
	type ReactElement,
	type ReactNode,
	useContext,
	useInsertionEffect,
	useMemo,
	useState,
} from "react";
import { followBy } from "../client/follow-by.ts";
import type { EdgeRunsClient } from "../client/index.ts";
import { connectTo, countActive, type ServiceOptions } from "../client/service.ts";
import { type ActiveRunsPoll, pollActiveRuns } from "./active-runs.ts";
import { type FollowedChats, followChats } from "./chats.ts";

/** The service, by its address or by a client that the app has already. */
export type EdgeRunsProviderProps = { readonly children?: ReactNode } & (
	| ({
			/** Where the service is, e.g. `https://runs.example.com`. */
			readonly url: string;
			readonly client?: never;
	  } & Readonly<ServiceOptions>)
	| { readonly client: EdgeRunsClient; readonly url?: never }
);

/** What the hooks share. */
interface Shared {
	readonly chats: FollowedChats;
	readonly active: ActiveRunsPoll;
}

const SharedContext = createContext<Shared | null>(null);

/**
 * Gives the hooks below it the service. `token`, `headers` and `fetch` may be new ones with each render; another `url`,
 * `credentials` or `client` is another service.
 * @throws {TypeError} where `url` is no address
 */
export function EdgeRunsProvider(props: EdgeRunsProviderProps): ReactElement {
	const [latest] = useState(() => ({ props }));
	// Before any component below it follows a chat.
	useInsertionEffect(() => {
		latest.props = props;
	});
	const { client, url, credentials, token } = props as EdgeRunsProviderProps & ServiceOptions;
	// Whether there is a token at all, and one that can be renewed, is the client's to know from the start.
	const tokenType = typeof token;
	const shared = useMemo(() => {
		const service = client ?? openService(url as string, latestOptions(latest as Latest, tokenType, credentials));
		return {
			chats: followChats((chatId) => service.followWorkflowRuns(chatId)),
			active: pollActiveRuns(() => service.countActiveWorkflowRuns()),
		};
	}, [client, url, credentials, tokenType, latest]);
	return createElement(SharedContext.Provider, { value: shared }, props.children);
}

/** The part of a client that the hooks need. */
function openService(url: string, options: ServiceOptions) {
	// A server does not know where "/" is. Nothing is asked for there, so that any address will do.
	const send = connectTo(typeof document === "undefined" ? "http://localhost" : url, options);
	return { followWorkflowRuns: followBy(send, options), countActiveWorkflowRuns: () => countActive(send) };
}

interface Latest {
	props: ServiceOptions;
}

/** Options that are looked up when a request is sent. */
function latestOptions(latest: Latest, tokenType: string, credentials: ServiceOptions["credentials"]): ServiceOptions {
	const readToken = (refused?: string) => {
		const current = latest.props.token;
		return typeof current === "function" ? current(refused) : (current ?? "");
	};
	return {
		credentials,
		token: tokenType === "undefined" ? undefined : readToken,
		get headers() {
			return latest.props.headers;
		},
		fetch: (input, init) => (latest.props.fetch ?? fetch)(input, init),
	};
}

/** @throws {Error} outside of a provider */
export function useShared(): Shared {
	const shared = useContext(SharedContext);
	if (!shared) throw new Error("There is no <EdgeRunsProvider url=…> around this component");
	return shared;
}
