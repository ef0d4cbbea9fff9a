import { type FormEvent, useState } from "react";

const SUGGESTIONS = ["Which of these papers measure it?", "What does the library have?"];

export function Composer({ onSend }: { onSend: (text: string) => void }) {
	const [text, setText] = useState("");

	function submit(event: FormEvent) {
		event.preventDefault();
		if (text.trim() === "") return;
		onSend(text.trim());
		setText("");
	}

	return (
		<form className="composer" onSubmit={submit}>
			<div className="suggestions">
				{SUGGESTIONS.map((suggestion) => (
					<button key={suggestion} type="button" onClick={() => onSend(suggestion)}>
						{suggestion}
					</button>
				))}
			</div>
			<input
				aria-label="Message"
				placeholder="Ask the agent"
				autoComplete="off"
				maxLength={2_000}
				value={text}
				onChange={(event) => setText(event.target.value)}
			/>
			<button type="submit">Send</button>
		</form>
	);
}
