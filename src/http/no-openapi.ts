/*
 * Bundled into the Worker instead of @asteasolutions/zod-to-openapi (`[alias]` in wrangler.toml), which describes schemas
 * for the OpenAPI document: a tenth of the Worker, for one answer that never changes. The document is made when the
 * Worker is built, by scripts/assets.ts, and served from its static assets; see src/api/get-openapi-document.ts.
 */

/** Takes what routes and schemas say of themselves, and keeps none of it. */
export class OpenAPIRegistry {
	readonly definitions: never[] = [];
	registerPath(): void {}
	registerComponent(): void {}
	register<T>(_name: string, schema: T): T {
		return schema;
	}
}

export class OpenApiGeneratorV31 {
	generateDocument(): never {
		throw new Error("The OpenAPI document is made when the Worker is built");
	}
}
export { OpenApiGeneratorV31 as OpenApiGeneratorV3 };

/** Schemas describe themselves by `.openapi(…)`, which then changes nothing. */
export function extendZodWithOpenApi({ ZodType }: { ZodType: { prototype: object } }): void {
	Object.assign(ZodType.prototype, {
		openapi() {
			return this;
		},
	});
}

export function getOpenApiMetadata(): object {
	return {};
}
