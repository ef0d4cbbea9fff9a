/*
 * SHA-1 (FIPS 180-4), for UUIDv5 alone: never for anything that must resist an attacker. Written out because
 * `crypto.subtle` is asynchronous and `node:crypto` is not everywhere.
 */

const BLOCK_BYTES = 64;
/** The padding's first byte, and the message's length in 64 bits. */
const PADDING_BYTES = 9;

const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

/** @returns 20 bytes */
export function sha1(message: Uint8Array): Uint8Array {
	const padded = new Uint8Array(Math.ceil((message.length + PADDING_BYTES) / BLOCK_BYTES) * BLOCK_BYTES);
	padded.set(message);
	padded[message.length] = 0x80;
	const view = new DataView(padded.buffer);
	view.setUint32(padded.length - 8, Math.floor(message.length / 0x2000_0000));
	view.setUint32(padded.length - 4, message.length << 3);

	const hash = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
	const words = new Int32Array(80);
	for (let block = 0; block < padded.length; block += BLOCK_BYTES) {
		for (let t = 0; t < 16; t++) words[t] = view.getInt32(block + t * 4);
		for (let t = 16; t < 80; t++) {
			words[t] = rotate(at(words, t - 3) ^ at(words, t - 8) ^ at(words, t - 14) ^ at(words, t - 16), 1);
		}
		let [a, b, c, d, e] = [at(hash, 0), at(hash, 1), at(hash, 2), at(hash, 3), at(hash, 4)];
		for (let t = 0; t < 80; t++) {
			let mixed: number;
			if (t < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
			else if (t < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
			else if (t < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
			else mixed = (b ^ c ^ d) + 0xca62c1d6;
			const next = (rotate(a, 5) + mixed + e + at(words, t)) | 0;
			e = d;
			d = c;
			c = rotate(b, 30);
			b = a;
			a = next;
		}
		// An Int32Array keeps the low 32 bits, which is the standard's addition.
		hash[0] = at(hash, 0) + a;
		hash[1] = at(hash, 1) + b;
		hash[2] = at(hash, 2) + c;
		hash[3] = at(hash, 3) + d;
		hash[4] = at(hash, 4) + e;
	}

	const digest = new DataView(new ArrayBuffer(20));
	for (const [index, word] of hash.entries()) digest.setInt32(index * 4, word);
	return new Uint8Array(digest.buffer);
}

/** Always within the bounds. */
const at = (words: Int32Array, index: number) => words[index] as number;
