import { getRequestListener } from "@hono/node-server";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { createApp } from "./server/app.ts";
import { openSessions } from "./server/local.ts";

const { PORT = "5173", VITE_RUNS_URL = "http://localhost:3026" } = process.env;

/** The app's own server, at /api of the page's address. */
function api(): Plugin {
	return {
		name: "api",
		apply: "serve",
		async configureServer({ middlewares, httpServer }) {
			const { sessions, close } = await openSessions();
			httpServer?.once("close", close);
			const app = await createApp({
				origin: `http://localhost:${PORT}`,
				authSecret: required("BETTER_AUTH_SECRET"),
				sessions,
				runsUrl: VITE_RUNS_URL,
				recorderToken: required("RECORDER_TOKEN"),
			});
			const listener = getRequestListener(app.fetch);
			middlewares.use((request, response, next) =>
				request.url?.startsWith("/api/") ? void listener(request, response) : next(),
			);
		},
	};
}

function required(name: string): string {
	const value = process.env[name];
	if (!value)
		throw new Error(`${name} is not set. From the root of edge-runs, \`npm run example:react-chat\` sets it.`);
	return value;
}

export default defineConfig({
	plugins: [react(), api()],
	define: { "import.meta.env.VITE_RUNS_URL": JSON.stringify(VITE_RUNS_URL) },
	server: { port: Number(PORT), strictPort: true },
});
