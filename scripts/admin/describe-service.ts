import type { ServiceLook } from "../../src/api/health-schemas.ts";
import { fields, moment, notes, number, table } from "./text.ts";

/** What an operator is shown of the service, as lines. @param now milliseconds since the epoch */
export function describeService({ health, database, settings }: ServiceLook["data"], now: number): string[] {
	const { missing = [], applied = [] } = database?.migrations ?? {};
	const off = Object.keys(settings.bindings).filter((name) => !settings.bindings[name]);
	return [
		`edge-runs ${health.version}: ${health.status}`,
		...fields([
			...Object.entries(health.checks),
			["checked", moment(health.checkedAt, now)],
			["deployment", health.deployment ?? "unknown"],
			["database", database && `${number(database.bytes)} bytes${database.region ? `, ${database.region}` : ""}`],
			["migrations", database && `${applied.length}, the last is ${applied.at(-1)}`],
		]),
		...table(
			"Vars",
			Object.entries(settings.vars).map(([name, value]) => [
				name,
				value === null || value === "" ? "not set" : `${value}`,
			]),
		),
		...table(
			"Secrets",
			Object.entries(settings.secrets).map(([name, set]) => [name, set === 0 ? "not set" : `${set} set`]),
		),
		...notes(
			off.length > 0 && `Not bound: ${off.join(", ")}.`,
			missing.length > 0 && `The database lacks ${missing.join(", ")}: npm run db:migrate`,
			health.status === "failing" && "The log says why: event = health.",
		),
	];
}
