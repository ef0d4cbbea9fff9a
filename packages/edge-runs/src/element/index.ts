import { WorkflowRunsElement } from "./element.tsx";

export type { RunsSource } from "../client/source.ts";
export type { LineState } from "../client/state.ts";
export type * from "../protocol/types.ts";
export type { GetToken, WorkflowRunsElementEventMap } from "./element.tsx";
export { WorkflowRunsElement };

declare global {
	interface HTMLElementTagNameMap {
		"workflow-runs": WorkflowRunsElement;
	}
}

/*
 * Importing this module defines `<workflow-runs>`. Not on a server, where there are no elements, nor twice: the service's
 * script and the package may both be in a page.
 */
if (globalThis.customElements && !customElements.get("workflow-runs")) {
	customElements.define("workflow-runs", WorkflowRunsElement);
}
