import { build, type Plugin } from "esbuild";

/** For esbuild: `import text from "x.css"` gives the stylesheet as text, minified, with all that it imports. */
export const cssText: Plugin = {
	name: "css-text",
	setup(builder) {
		builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
			const options = { bundle: true, minify: true, write: false, target: "es2022" } as const;
			const { outputFiles } = await build({ entryPoints: [path], ...options });
			return { contents: outputFiles[0]?.text.trim() ?? "", loader: "text" };
		});
	},
};
