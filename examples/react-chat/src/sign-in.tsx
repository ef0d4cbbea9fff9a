import { type FormEvent, useState } from "react";
import { auth } from "./auth.ts";

export function SignIn() {
	const [error, setError] = useState("");

	async function signIn(event: FormEvent<HTMLFormElement>) {
		event.preventDefault();
		const form = new FormData(event.currentTarget);
		const result = await auth.signIn.email({ email: `${form.get("email")}`, password: `${form.get("password")}` });
		setError(result.error?.message ?? "");
	}

	return (
		<main className="sign-in">
			<form onSubmit={signIn}>
				<h1>Chat</h1>
				<label>
					E-mail
					<input name="email" type="email" autoComplete="username" defaultValue="ada@example.com" required />
				</label>
				<label>
					Password
					<input
						name="password"
						type="password"
						autoComplete="current-password"
						defaultValue="correct horse battery"
						required
					/>
				</label>
				<button type="submit">Sign in</button>
				<small>A demo account is filled in.</small>
				<p role="alert">{error}</p>
			</form>
		</main>
	);
}
