/** The first `digits` hexadecimal digits of the SHA-256 of some bytes. */
export async function sha256Hex(bytes: BufferSource, digits: number): Promise<string> {
	const digest = await crypto.subtle.digest("SHA-256", bytes);
	let hex = "";
	for (const byte of new Uint8Array(digest, 0, digits / 2)) hex += byte.toString(16).padStart(2, "0");
	return hex;
}
