import {
	MAX_METRICS,
	MAX_NAME,
	MAX_OUTPUT_BYTES,
	MAX_OUTPUT_DEPTH,
	MAX_REPORTED_STEPS,
	MAX_WARNINGS,
} from "#protocol/limits.ts";
import { cutText, textBytes } from "#protocol/text.ts";

/*
 * Fields that the service does not know or cannot keep do not make it refuse a report. They are left out and named in the
 * answer, so that a newer engine can report to an older service. The schemas check the known fields. Pure.
 */

/** The fields that a report may have, and those of the objects in it. */
export interface KnownFields {
	readonly run: readonly string[];
	readonly step: readonly string[];
	readonly error: readonly string[];
	readonly activity: readonly string[];
}

/** The parts that were left out, one sentence each: `steps.3.foo: unknown field, left out`. */
export class Warnings {
	readonly #sentences: string[] = [];
	#more = 0;

	add(path: string, what: string): void {
		if (this.#sentences.length < MAX_WARNINGS) this.#sentences.push(`${path}: ${what}`);
		else this.#more++;
	}

	list(): string[] {
		return this.#more > 0 ? [...this.#sentences, `and ${this.#more} more`] : this.#sentences;
	}
}

type Fields = Record<string, unknown>;

/** The known fields of an object. Any other value stays as it is, and the schema refuses it. */
export function knownOf(value: unknown, known: readonly string[], path: string, warnings: Warnings): unknown {
	if (!isObject(value)) return value;
	const kept: Fields = {};
	for (const [name, each] of Object.entries(value)) {
		if (known.includes(name)) kept[name] = each;
		else if (each !== undefined) warnings.add(path + cutText(name, MAX_NAME), "unknown field, left out");
	}
	return kept;
}

/**
 * A reported run without the parts that cannot be kept.
 * @param path the run's path in the report, with a dot at its end; empty for the report itself
 */
export function leaveOut(report: unknown, known: KnownFields, path: string, warnings: Warnings): unknown {
	const run = tidy(report, known.run, known, path, warnings);
	if (!isObject(run)) return run;
	if (run["workflowName"] === "") {
		delete run["workflowName"];
		warnings.add(`${path}workflowName`, "empty, left out");
	}
	const { steps } = run;
	if (!Array.isArray(steps)) return run;
	// One more than the schema takes, so that it refuses them, and looks at no more.
	const few = steps.slice(0, MAX_REPORTED_STEPS + 1);
	run["steps"] = few.map((step, index) => tidy(step, known.step, known, `${path}steps.${index}.`, warnings));
	return run;
}

function tidy(
	value: unknown,
	fields: readonly string[],
	known: KnownFields,
	path: string,
	warnings: Warnings,
): unknown {
	const kept = knownOf(value, fields, path, warnings);
	if (!isObject(kept)) return kept;
	for (const name of ["error", "activity"] as const) {
		if (name in kept) kept[name] = knownOf(kept[name], known[name], `${path}${name}.`, warnings);
	}
	if (isObject(kept["metrics"])) kept["metrics"] = tidyMetrics(kept["metrics"], `${path}metrics`, warnings);
	if ("output" in kept) {
		const output = tidyOutput(kept["output"], `${path}output`, warnings);
		if (output === undefined) delete kept["output"];
		else kept["output"] = output;
	}
	return kept;
}

function tidyMetrics(metrics: Fields, path: string, warnings: Warnings): Fields {
	// Zod drops it without a word.
	const isName = (name: string) => name.length <= MAX_NAME && name !== "__proto__";
	const all = Object.entries(metrics);
	const kept = all.filter(([name]) => isName(name));
	for (const [name] of all) {
		if (!isName(name)) warnings.add(`${path}.${cutText(name, MAX_NAME)}`, "not usable as a name, left out");
	}
	if (kept.length > MAX_METRICS) warnings.add(path, `${kept.length} names, the first ${MAX_METRICS} are kept`);
	return Object.fromEntries(kept);
}

/** The output as JSON. Over RPC it may be any value that can be cloned. */
function tidyOutput(output: unknown, path: string, warnings: Warnings): unknown {
	if (output === undefined) return;
	if (isDeeper(output, MAX_OUTPUT_DEPTH)) {
		warnings.add(path, `nested deeper than ${MAX_OUTPUT_DEPTH} levels, left out`);
		return;
	}
	try {
		const json = JSON.stringify(output);
		const bytes = textBytes(json);
		if (bytes <= MAX_OUTPUT_BYTES) return JSON.parse(json);
		warnings.add(path, `${bytes} bytes, and ${MAX_OUTPUT_BYTES} is the most, left out`);
	} catch {
		warnings.add(path, "cannot be said in JSON, left out");
	}
}

function isDeeper(value: unknown, levels: number): boolean {
	if (typeof value !== "object" || value === null) return false;
	return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}

function isObject(value: unknown): value is Fields {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
