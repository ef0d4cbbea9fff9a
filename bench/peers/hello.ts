/** No bindings, no work: what workerd and the load generator can do at most. */
export default {
	fetch: () => new Response("ok"),
} satisfies ExportedHandler;
