import { EdgeRunsProvider } from "edge-runs/react";
import { auth } from "./auth.ts";
import { Chat } from "./chat.tsx";
import { SignIn } from "./sign-in.tsx";

export function App() {
	const { data, isPending } = auth.useSession();
	if (isPending) return <p className="loading">Loading…</p>;
	if (!data) return <SignIn />;
	// A new user is a new connection: `key` lets go of everything that the last one saw.
	return (
		<EdgeRunsProvider key={data.user.id} url={import.meta.env.VITE_RUNS_URL} credentials="include">
			<Chat userName={data.user.name} />
		</EdgeRunsProvider>
	);
}
