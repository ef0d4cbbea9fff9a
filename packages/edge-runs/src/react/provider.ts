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
import { ActiveRunsPoll } from "./active-runs.ts";
import { FollowedChats } from "./chats.ts";

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
	const { client, url } = props;
	const credentials = "credentials" in props ? props.credentials : undefined;
	// Whether there is a token at all, and one that can be renewed, is the client's to know from the start.
	const token = "token" in props ? typeof props.token : "undefined";
	const shared = useMemo(() => {
		// Nothing is followed on a server, and it does not know where "/" is.
		if (typeof document === "undefined")
			return { chats: new FollowedChats(refuse), active: new ActiveRunsPoll(refuse) };
		if (client) {
			const chats = new FollowedChats((chatId) => client.followWorkflowRuns(chatId));
			return { chats, active: new ActiveRunsPoll(() => client.countActiveWorkflowRuns()) };
		}
		const options = latestOptions(latest as Latest, token, credentials);
		const send = connectTo(url as string, options);
		return { chats: new FollowedChats(followBy(send, options)), active: new ActiveRunsPoll(() => countActive(send)) };
	}, [client, url, credentials, token, latest]);
	return createElement(SharedContext.Provider, { value: shared }, props.children);
}

interface Latest {
	props: ServiceOptions;
}

/** Options that are looked up when a request is sent. */
function latestOptions(latest: Latest, token: string, credentials: ServiceOptions["credentials"]): ServiceOptions {
	const readToken = (refused?: string) => {
		const current = latest.props.token;
		return typeof current === "function" ? current(refused) : (current ?? "");
	};
	return {
		credentials,
		token: token === "undefined" ? undefined : readToken,
		get headers() {
			return latest.props.headers;
		},
		fetch: (input, init) => (latest.props.fetch ?? fetch)(input, init),
	};
}

function refuse(): never {
	throw new Error("Workflow runs are followed in browsers only");
}

/** @throws {Error} outside of a provider */
export function useShared(): Shared {
	const shared = useContext(SharedContext);
	if (!shared) throw new Error("There is no <EdgeRunsProvider url=…> around this component");
	return shared;
}
