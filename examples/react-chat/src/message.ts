/** What was said in the chat. */
export interface Message {
	readonly id: string;
	readonly from: "user" | "agent";
	readonly text: string;
	readonly failed?: boolean;
}
