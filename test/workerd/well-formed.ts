/*
 * What a failed test compared goes to Vitest over a WebSocket. Half of a surrogate pair in it would end the whole run, and
 * nothing would say which test failed.
 */
const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (message) {
	send.call(this, typeof message === "string" ? message.toWellFormed() : message);
};
