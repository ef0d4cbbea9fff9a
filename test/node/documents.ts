import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { readText, root } from "./dev-server.ts";

const markdownIn = (folder: string) =>
	readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".md"))
		.map((file) => path.posix.join(folder, file));

/** Every document whose commands are checked, as a path from the root. */
export const DOCUMENTS = ["README.md", "CONTRIBUTING.md", ...markdownIn("docs").sort()];

/** Every document whose links are checked. */
export const LINKING = [
	...DOCUMENTS,
	"CHANGELOG.md",
	"SECURITY.md",
	...markdownIn("bench"),
	...markdownIn(".github"),
	...["packages", "examples"].filter((folder) => existsSync(path.join(root, folder))).flatMap(packageReadmes),
];

function packageReadmes(folder: string): string[] {
	return readdirSync(path.join(root, folder))
		.map((name) => path.posix.join(folder, name, "README.md"))
		.filter((file) => existsSync(path.join(root, file)));
}

/** The text of each fenced block of one language, in a document's order. */
export function fencedBlocks(text: string, language: string): string[] {
	return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
		.filter(([, found]) => found === language)
		.map(([, , content]) => content as string);
}

/** A command of a document's `sh` blocks, as one pastes it, without the comment behind it. */
export interface Command {
	document: string;
	text: string;
	/** What the comment above it says: `# 404 CHAT_NOT_FOUND: …`. */
	expected?: { status: string; code: string };
}

export function commandsOf(document: string): Command[] {
	return fencedBlocks(readText(document), "sh").flatMap((block) => {
		const commands: Command[] = [];
		let comment = "";
		for (const [line] of block.matchAll(/(?:.*\\\n)*.+/g)) {
			if (line.startsWith("#")) {
				comment = line;
				continue;
			}
			const [, status, code = ""] = /^# (\d{3})\b ?([A-Z_]*)/.exec(comment) ?? [];
			const text = line.replace(/ +# .*$/, "");
			commands.push({ document, text, ...(status && { expected: { status, code } }) });
			comment = "";
		}
		return commands;
	});
}

/** The anchors that GitHub gives a document's headings. */
export function anchorsOf(text: string): string[] {
	return [...text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
		heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N}\s_-]/gu, "")
			.replace(/ /g, "-"),
	);
}

/** Where a document's links and pictures lead within the repository: `[text](target)`, `src="…"`, `srcset="…"`. */
export function relativeLinks(text: string): string[] {
	const prose = text.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");
	return [...prose.matchAll(/\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g)]
		.map(([, markdown, html]) => (markdown ?? html) as string)
		.filter((target) => !/^(https?:|mailto:)/.test(target));
}
