/* global SwaggerUIBundle */

// The API reference: Swagger UI over the document that the service itself publishes.

const METHODS = ["get", "put", "patch", "post", "delete"];

const response = await fetch("/api/openapi.json");
const spec = await response.json();

// "Try it out" fills in every example. Those of optional parameters would filter the answer away.
for (const operation of Object.values(spec.paths).flatMap((path) => METHODS.flatMap((method) => path[method] ?? []))) {
	for (const parameter of operation.parameters ?? []) {
		if (!parameter.required) delete parameter.schema.example;
	}
}

SwaggerUIBundle({
	spec,
	domNode: document.getElementById("reference"),
	deepLinking: true,
	defaultModelsExpandDepth: 0,
	// Would ask another host.
	validatorUrl: "none",
	plugins: [
		{
			statePlugins: {
				spec: {
					wrapSelectors: {
						// It shows an answer when it is complete, which a stream never is.
						allowTryItOutFor: (allow) => (state, path, method) =>
							!path.endsWith("/stream") && allow(state, path, method),
					},
				},
			},
		},
	],
});

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", prefersDark.matches);
prefersDark.addEventListener("change", paint);
paint();
