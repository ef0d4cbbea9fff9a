/** The first `digits` hexadecimal digits of some bytes. */
export function encodeHex(bytes: ArrayBuffer, digits: number): string {
	let hex = "";
	for (const byte of new Uint8Array(bytes, 0, digits / 2)) hex += byte.toString(16).padStart(2, "0");
	return hex;
}
