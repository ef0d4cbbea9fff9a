// Asked before each connection, and again where a token has ended. Your server knows who is signed in.
document.querySelector("workflow-runs").getToken = async () => {
	const answer = await fetch("/runs-token");
	// An empty text says that nobody is signed in. Any other failure is tried again.
	if (answer.status === 401) return "";
	if (!answer.ok) throw new Error(`/runs-token: ${answer.status}`);
	return answer.text();
};

document.querySelector("#ask").addEventListener("click", () => fetch("/ask", { method: "POST" }));
