import { verify } from "hono/jwt";
import { describe, expect, it, vi } from "vitest";
import { createReadToken, uuidFor } from "#recorder/index.ts";
import { uuid } from "./stage.ts";

const secret = "a secret of the tests with at least thirty-two characters";
const now = () => Math.floor(Date.now() / 1000);

describe("a read token", () => {
	it("is a JWT by HS256 that says who reads, and until when", async () => {
		const token = await createReadToken({ secret, userId: "üser 1" });
		const { exp, ...claims } = await verify(token, secret, "HS256");
		expect(claims).toEqual({ sub: "üser 1" });
		expect(exp).toBeGreaterThan(now() + 3_590);
		expect(exp).toBeLessThanOrEqual(now() + 3_600);
		expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
	});

	it("may be for one chat alone, whatever its id", async () => {
		const chat = uuid();
		const own = await createReadToken({ secret, userId: "u", chatId: chat.toUpperCase(), expiresInSeconds: 60 });
		expect(await verify(own, secret, "HS256")).toMatchObject({ chat });
		const foreign = await createReadToken({ secret, userId: "u", chatId: "thread 1" });
		expect(await verify(foreign, secret, "HS256")).toMatchObject({ chat: uuidFor("chat", "thread 1") });
	});

	it("is signed by the first of several secrets, which are the service's while they are changed", async () => {
		const token = await createReadToken({ secret: ` ${secret}, ${"an older one ".repeat(3)}`, userId: "u" });
		expect(await verify(token, secret, "HS256")).toMatchObject({ sub: "u" });
	});

	it("is worth nothing with another secret, with other claims, or when it has expired", async () => {
		const token = await createReadToken({ secret, userId: "u", expiresInSeconds: 60 });
		await expect(verify(token, `${secret}!`, "HS256")).rejects.toThrow();
		const [head, , signature] = token.split(".");
		const forged = `${head}.${btoa(JSON.stringify({ sub: "v", exp: now() + 60 })).replaceAll("=", "")}.${signature}`;
		await expect(verify(forged, secret, "HS256")).rejects.toThrow(/signature/);
		const { exp } = await verify(token, secret, "HS256");
		expect(exp).toBeLessThanOrEqual(now() + 60);
		vi.spyOn(Date, "now").mockReturnValue(Number(exp) * 1_000);
		await expect(verify(token, secret, "HS256")).rejects.toThrow(/expired/);
		vi.restoreAllMocks();
	});

	it.each([
		["a short secret", { secret: "short", userId: "u" }, TypeError],
		["a short one of several", { secret: `short,${secret}`, userId: "u" }, TypeError],
		["no secret", { secret: undefined as unknown as string, userId: "u" }, TypeError],
		["no user", { secret, userId: "" }, TypeError],
		["more than a day", { secret, userId: "u", expiresInSeconds: 86_401 }, RangeError],
		["no time", { secret, userId: "u", expiresInSeconds: 0 }, RangeError],
		["not a time", { secret, userId: "u", expiresInSeconds: Number.NaN }, RangeError],
	])("is not made with %s", async (_, options, error) => {
		await expect(createReadToken(options)).rejects.toThrow(error);
	});
});
