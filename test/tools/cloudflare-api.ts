import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { type Api, ApiError, type ApiRequest, serveCloudflareApi } from "../../lab/cloudflare-api.ts";

interface Binding {
	readonly type: string;
	readonly name: string;
	/** A D1 database's. */
	readonly id?: string;
	/** A KV namespace's. */
	readonly namespace_id?: string;
}

interface Worker {
	readonly bindings: readonly Binding[];
	readonly secrets: Record<string, string>;
}

/**
 * As much of Cloudflare's API as wrangler needs to deploy this Worker, for wrangler itself to talk to: the order in which
 * things are made is what counts. Its databases are SQLite's.
 */
export class CloudflareApi {
	readonly databases = new Map<string, { uuid: string; sqlite: DatabaseSync }>();
	readonly namespaces = new Map<string, string>();
	readonly workers = new Map<string, Worker>();
	/** What was changed, in order. */
	readonly events: string[] = [];
	#api: Api | undefined;

	/** What wrangler's environment needs to use it. */
	async listen(): Promise<Readonly<Record<string, string>>> {
		this.#api = await serveCloudflareApi((request) => this.#answer(request));
		return this.#api.env;
	}

	close(): void {
		this.#api?.close();
	}

	async #answer({ method, path, body, contentType }: ApiRequest): Promise<unknown> {
		const call = `${method} ${path}`;
		const json = () => JSON.parse(body.toString()) as Record<string, unknown>;
		const [, ...parts] = path.split("/");
		if (call === "GET /d1/database") return [...this.databases].map(([name, { uuid }]) => ({ name, uuid }));
		if (call === "POST /d1/database") {
			const name = String(json()["name"]);
			const database = { uuid: randomUUID(), sqlite: new DatabaseSync(":memory:") };
			this.databases.set(name, database);
			this.events.push(`database ${name}`);
			return { name, uuid: database.uuid };
		}
		if (parts[0] === "d1" && parts[2] !== undefined) {
			const found = [...this.databases].find(([name, { uuid }]) => name === parts[2] || uuid === parts[2]);
			if (!found) throw new ApiError(404, 7404, "The database could not be found");
			const [name, { uuid, sqlite }] = found;
			if (method === "GET") return { name, uuid };
			return runSql(sqlite, String(json()["sql"]), (table) => this.events.push(`table ${table} in ${name}`));
		}
		if (call === "GET /storage/kv/namespaces") return [...this.namespaces].map(([title, id]) => ({ title, id }));
		if (call === "POST /storage/kv/namespaces") {
			const title = String(json()["title"]);
			this.namespaces.set(title, randomUUID().replaceAll("-", ""));
			this.events.push(`namespace ${title}`);
			return { title, id: this.namespaces.get(title) };
		}
		if (path.startsWith("/workers/")) return this.#answerForWorker(method, parts, body, contentType);
		if (call === "GET /memberships") return [];
		if (path.startsWith("/user")) return { email: "you@example.com" };
		throw new ApiError(404, 7003, `no such route here: ${call}`);
	}

	async #answerForWorker(method: string, parts: string[], body: Buffer, contentType: string): Promise<unknown> {
		if (parts[1] === "subdomain") return { subdomain: "you" };
		const [, kind, name = "", ...rest] = parts;
		const worker = this.workers.get(name);
		if (kind === "scripts" && rest[0] === "assets-upload-session") return { jwt: "a-jwt", buckets: [] };
		// A new Worker is put, one that is there gets a version, which is deployed.
		if (
			kind === "scripts" &&
			(rest[0] === undefined ? method === "PUT" : rest[0] === "versions" && method === "POST")
		) {
			const metadata = await metadataOf(body, contentType);
			// wrangler leaves out what stays as it is.
			const inherited = (each: Binding) => worker?.bindings.find((known) => known.name === each.name) ?? each;
			const bindings = metadata.bindings.map((each) => (each.type === "inherit" ? inherited(each) : each));
			this.workers.set(name, { bindings, secrets: worker?.secrets ?? {} });
			this.events.push(bindings.length > 0 ? `worker ${name}` : `empty worker ${name}`);
			return {
				id: randomUUID(),
				etag: "1",
				startup_time_ms: 1,
				deployment_id: "1",
				metadata: {},
				resources: { script: { etag: "1" }, script_runtime: {} },
			};
		}
		if (!worker)
			throw new ApiError(404, kind === "services" ? 10090 : 10007, "This Worker does not exist on your account.");
		if (kind === "services")
			return { default_environment: { environment: "production", script: { last_deployed_from: "wrangler" } } };
		if (rest[0] === "deployments" && method === "GET")
			return { deployments: [{ id: randomUUID(), versions: [{ version_id: randomUUID(), percentage: 100 }] }] };
		if (rest[0] === "secrets-bulk") {
			const { secrets } = JSON.parse(body.toString()) as { secrets: Record<string, { text: string }> };
			for (const [each, { text }] of Object.entries(secrets)) worker.secrets[each] = text;
			this.events.push(`secrets ${Object.keys(secrets).join()} of ${name}`);
			return [];
		}
		if (rest[0] === "secrets") return Object.keys(worker.secrets).map((each) => ({ name: each, type: "secret_text" }));
		if (rest[0] === "settings") return { bindings: worker.bindings };
		// Schedules, tags, the subdomain: what has no part in the order.
		return { enabled: true, previews_enabled: true, subdomain: { enabled: true, previews_enabled: true } };
	}
}

async function metadataOf(body: Buffer, contentType: string): Promise<{ bindings: Binding[] }> {
	const form = await new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData();
	return JSON.parse(String(form.get("metadata")));
}

/** Runs statements as D1's API does: the results of each. */
function runSql(sqlite: DatabaseSync, sql: string, onTable: (name: string) => void): object[] {
	for (const [, name] of sql.matchAll(/create table (?:if not exists )?[`"]?(\w+)/gi)) onTable(name as string);
	const meta = { duration: 0, changes: 0, last_row_id: 0, rows_read: 0, rows_written: 0 };
	if (/^\s*select/i.test(sql)) return [{ success: true, results: sqlite.prepare(sql).all(), meta }];
	sqlite.exec(sql);
	return [{ success: true, results: [], meta }];
}
