import {
	createElement,
	type ForwardedRef,
	forwardRef,
	type ReactElement,
	useEffect,
	useImperativeHandle,
	useMemo,
	useRef,
} from "react";
import type { WorkflowRunsElement, WorkflowRunsElementEventMap } from "../element/element.tsx";
import type { WorkflowRun } from "../protocol/types.ts";
import { useShared } from "./provider.ts";

export interface WorkflowRunsProps {
	/** Null while it is not known. */
	readonly chatId: string | null;
	/** `full`, or `compact` for a sidebar. */
	readonly view?: "full" | "compact" | undefined;
	/** As the page is, if left out. */
	readonly theme?: "light" | "dark" | undefined;
	readonly className?: string | undefined;
	/** Called when the reader opens a run. */
	readonly onSelect?: ((run: WorkflowRun) => void) | undefined;
}

/**
 * A chat's runs, as the service's own page shows them, below an `EdgeRunsProvider`: over the same one connection as the
 * hooks. It is `<workflow-runs>`, whose code is loaded when the first of them is shown; `ref` gives it.
 */
export const WorkflowRuns = /* @__PURE__ */ forwardRef(ShowWorkflowRuns);

function ShowWorkflowRuns(props: WorkflowRunsProps, ref: ForwardedRef<WorkflowRunsElement>): ReactElement {
	const { chatId, view, theme, className, onSelect } = props;
	const { chats } = useShared();
	const element = useRef<WorkflowRunsElement>(null);
	useImperativeHandle(ref, () => element.current as WorkflowRunsElement, []);
	useEffect(() => void import("../element/index.ts"), []);
	const source = useMemo(
		() =>
			chatId === null
				? null
				: {
						get runs() {
							return chats.read(chatId).runs;
						},
						get isLoaded() {
							return chats.read(chatId).isLoaded;
						},
						get state() {
							return chats.read(chatId).state;
						},
						subscribe: (listener: () => void) => chats.subscribe(chatId, listener),
						retry: () => chats.retry(chatId),
					},
		[chats, chatId],
	);
	useEffect(() => {
		if (element.current) element.current.source = source;
	}, [source]);
	useEffect(() => {
		const { current } = element;
		if (!current || !onSelect) return undefined;
		const listener = (event: Event) => onSelect((event as WorkflowRunsElementEventMap["select"]).detail.run);
		current.addEventListener("select", listener);
		return () => current.removeEventListener("select", listener);
	}, [onSelect]);
	return createElement("workflow-runs", { ref: element, view, theme, class: className });
}
