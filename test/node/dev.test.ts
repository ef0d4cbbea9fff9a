import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readExample } from "../fixtures/contract.ts";
import { DevServer, freePort, readText, root, temporaryFolder } from "./dev-server.ts";
import { commandsOf, DOCUMENTS } from "./documents.ts";

const run = promisify(execFile);
const example = readExample(readText("test/fixtures/contract.txt"));
const { folder, remove } = temporaryFolder();
const cookieJar = path.join(folder, "cookies.txt");

let port: number;
let server: DevServer;
let printed: string;
let options: string[];

beforeAll(async () => {
	port = await freePort();
	options = ["--port", `${port}`, "--persist-to", path.join(folder, "state"), "--cookie-jar", cookieJar];
	server = new DevServer(...options);
	printed = await server.ready();
});
afterAll(async () => {
	await server.stop();
	remove();
});

/** A command of the contract or a document, for this server and its cookie jar. Pasted into a shell, as a person would. */
async function paste(command: string, jar = cookieJar): Promise<string> {
	const exported = readText("docs/personal-data.md").match(/^export (RECORDER|OPERATOR)_TOKEN=.*$/gm) ?? [];
	const adapted = `${exported.join("\n")}\n${command}`
		.replaceAll("localhost:3026", `localhost:${port}`)
		.replace("-b cookies.txt", `-b "${jar}"`);
	// curl ends with 28 where it left a stream after its time.
	const pasted = run("bash", ["-c", adapted], { cwd: root }).catch((error) => {
		if (error.code !== 28) throw error;
		return error as { stdout: string };
	});
	return (await pasted).stdout;
}

describe("npm run dev", () => {
	it("answers the contract's own curl command with the contract's example", async () => {
		const answer = JSON.parse(await paste(example.curl));
		const expected = JSON.parse(example.json);
		// The example's ids are placeholders.
		const [served] = answer.data.workflowRuns;
		Object.assign(expected.data.workflowRuns[0], { id: served.id, workflowId: served.workflowId });
		expect(JSON.stringify(answer, null, 2)).toBe(JSON.stringify(expected, null, 2));
		for (const id of [served.id, served.workflowId]) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
	});

	it("ends by printing that command, to paste", async () => {
		const command = /^curl (?:.*\\\n)*.*$/m.exec(printed)?.[0] as string;
		expect(command.replace(`:${port}`, ":3026").replace(/-b .*/, "-b cookies.txt")).toBe(example.curl);
	});

	it("asks nothing, and warns of nothing", () => {
		expect(printed).not.toMatch(/warn|error|deprecat|update available|\(y\/n\)/i);
	});

	const documented = DOCUMENTS.map((document) => ({
		document,
		commands: commandsOf(document).flatMap(({ text, expected }) => (expected ? [{ text, ...expected }] : [])),
	})).filter(({ commands }) => commands.length > 0);

	it.each(documented)("gives the answers that $document says", async ({ commands }) => {
		for (const { text, status, code } of commands) {
			// A stream lasts until its client goes.
			const patience = text.includes("curl -N ") ? "--max-time 3 " : "";
			const answer = await paste(text.replace("curl ", `curl -s ${patience}-w '\\n%{http_code}' `));
			expect([text, answer.slice(answer.lastIndexOf("\n") + 1)]).toEqual([text, status]);
			if (code) expect([text, answer]).toEqual([text, expect.stringContaining(`"code":"${code}"`)]);
		}
	});

	it("is looked at by npm run admin as docs/operating.md shows", async () => {
		const operating = readText("docs/operating.md");
		const commands = commandsOf("docs/operating.md").filter(({ text }) => text.startsWith("npm run admin -- "));
		const ran = await Promise.all(
			commands.map(async ({ text }) => {
				const where = text.includes(" token ") ? "" : ` --url http://localhost:${port}`;
				return paste(text + where).then(
					(output) => ({ text, code: 0, output }),
					({ code, stderr }) => ({ text, code, output: stderr as string }),
				);
			}),
		);
		expect(ran.length).toBeGreaterThan(5);
		for (const { text, code, output } of ran) {
			const isThere = !text.includes(" 00000000-");
			expect([text, code, output]).toEqual([text, isThere ? 0 : 1, expect.stringMatching(/\n/)]);
		}
		// What the document shows of a run, but for the time that has gone by.
		const timeless = (line: string) => line.replace(/\d{4}-\S+Z \(.*?\)/, "then");
		const example = /```\n(Run [\s\S]*?)```/.exec(operating)?.[1] ?? "";
		const documented = example.split("\n").filter((line) => line !== "" && !/…|^- No news/.test(line));
		expect(documented.length).toBeGreaterThan(5);
		expect(ran[0]?.output.split("\n").map(timeless)).toEqual(expect.arrayContaining(documented.map(timeless)));
	});

	it("has every kind of answer among the documented ones", () => {
		const statuses = documented.flatMap(({ commands }) => commands.map(({ status }) => status));
		expect(statuses).toEqual(expect.arrayContaining(["200", "201", "204", "400", "401", "403", "404", "405"]));
	});

	it("seeds a chat with a run in every status, their steps and errors", async () => {
		const chat = /every status: the same with (\S+)/.exec(printed)?.[1] as string;
		const { data } = JSON.parse(await paste(example.curl.replace("550e8400-e29b-41d4-a716-446655440000", chat)));
		const runs: { status: string; error?: object; steps: { status: string; error?: object }[] }[] = data.workflowRuns;
		expect(runs.map((run) => run.status)).toEqual(["pending", "running", "failed", "cancelled", "completed"]);
		for (const run of runs) expect(run.steps.length).toBeGreaterThan(1);
		expect(runs[2]).toMatchObject({ error: { message: expect.any(String) } });
		expect(runs[2]?.steps.find((step) => step.status === "failed")).toMatchObject({
			error: { message: expect.any(String) },
		});
	});

	it("says what to do when its port is in use", async () => {
		const { code, output } = await new DevServer("--port", `${port}`).ended();
		expect(code).toBe(2);
		expect(output).toContain(`Port ${port} is in use`);
		expect(output).toContain(`npm run dev -- --port ${port + 1}`);
		expect(output).not.toMatch(/\n\s+at /);
	});

	it.each(["65536", "x"])("refuses --port=%s", async (bad) => {
		const { code, output } = await new DevServer(`--port=${bad}`).ended();
		expect(code).toBe(2);
		expect(output).toContain(`--port takes a number from 1 to 65535, not "${bad}".`);
	});

	it("says what to do when its state directory is broken", async () => {
		const broken = path.join(folder, "broken");
		mkdirSync(path.join(broken, "v3"), { recursive: true });
		writeFileSync(path.join(broken, "v3", "d1"), "not a folder");
		const { code, output } = await new DevServer("--port", `${await freePort()}`, "--persist-to", broken).ended();
		expect(code).toBe(2);
		expect(output).toContain("The local database could not be prepared");
		expect(output).toMatch(/rm -rf \S*broken/);
	});

	it("can be run again: what was stored stays, the seed is put back, earlier cookies still work", async () => {
		const firstJar = `${cookieJar}.first`;
		writeFileSync(firstJar, readFileSync(cookieJar));
		const { code } = await server.stop();
		expect(code).toBe(0);
		await expect(fetch(`http://127.0.0.1:${port}/api/health`)).rejects.toThrow();

		server = new DevServer(...options);
		await server.ready();

		expect(readFileSync(cookieJar, "utf8")).not.toBe(readFileSync(firstJar, "utf8"));
		const [now, before] = [await paste(example.curl), await paste(example.curl, firstJar)];
		expect(JSON.parse(now).data.workflowRuns).toHaveLength(1);
		expect(before).toBe(now);
	});
});
