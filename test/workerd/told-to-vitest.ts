/*
 * All that a test prints and compares goes to Vitest over a WebSocket.
 */

// Half of a surrogate pair in it would end the whole run, and nothing would say which test failed.
const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (message) {
	send.call(this, typeof message === "string" ? message.toWellFormed() : message);
};

// The service's own log lines are thousands. Whatever else is printed shows.
for (const level of ["log", "error"] as const) {
	const print = console[level];
	console[level] = (line, ...more) => {
		if (!String(line).startsWith('{"level":')) print(line, ...more);
	};
}
