import { describe, expect, it } from "vitest";
import { insertChat, insertRuns, request, signIn, uuid } from "./helpers";

describe("list", () => {
	it("serves", async () => {
		const user = uuid();
		const { cookie } = await signIn(user);
		const chat = await insertChat(user);
		await insertRuns(chat, [{}, { status: "pending", startedAt: null, completedAt: null }]);
		const res = await request(`/api/chats/${chat}/workflow-runs`, { headers: { cookie } });
		console.log(res.status, [...res.headers], await res.text());
		const r2 = await request(`/api/chats/${chat}/workflow-runs?limit=200`, { headers: { cookie } });
		console.log(await r2.text());
		const r3 = await request(`/api/openapi.json`);
		console.log((await r3.text()).slice(0, 3000));
		expect(res.status).toBe(200);
	});
});
