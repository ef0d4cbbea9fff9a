// Asked before each connection, and again where a token has ended. Your server knows who is signed in.
document.querySelector("workflow-runs").getToken = async () => {
	const answer = await fetch("/runs-token");
	if (!answer.ok) throw new Error("Nobody is signed in");
	return answer.text();
};

document.querySelector("#ask").addEventListener("click", () => fetch("/ask", { method: "POST" }));
