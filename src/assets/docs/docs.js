// The API reference: Swagger UI over the document that the service itself publishes.
SwaggerUIBundle({
	url: "/api/openapi.json",
	domNode: document.getElementById("reference"),
	deepLinking: true,
	// Both would ask another host.
	validatorUrl: "none",
	queryConfigEnabled: false,
});
