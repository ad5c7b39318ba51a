/* HPKE in base mode with WebCrypto alone: X25519, HKDF-SHA256, AES-256-GCM (RFC 9180; docs/formats/shares.md, suite 1).
   Each labelled extract that is followed by one labelled expand is one HKDF of WebCrypto. */

import { concat, number, utf8 } from "./bytes.js";

const subtle = crypto.subtle;
const VERSION = utf8("HPKE-v1");
const KEM = concat(utf8("KEM"), number(0x0020, 2));
const SUITE = concat(utf8("HPKE"), number(0x0020, 2), number(0x0001, 2), number(0x0002, 2));
const EMPTY = new Uint8Array(0);
const PKCS8_X25519 = Uint8Array.from([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32]);

const labelled = (suite, label, bytes) => concat(VERSION, suite, utf8(label), bytes);
const expansion = (suite, label, context, size) => concat(number(size, 2), labelled(suite, label, context));

/** Return an X25519 private key of 32 bytes for `open`. */
export function privateKey(bytes) {
  return subtle.importKey("pkcs8", concat(PKCS8_X25519, bytes), "X25519", false, ["deriveBits"]);
}

/** Return the public half of a private key of 32 bytes: what it gives with the base point. */
export async function publicHalf(bytes) {
  const base = new Uint8Array(32);
  base[0] = 9;
  return exchange(await privateKey(bytes), base);
}

async function exchange(key, publicBytes) {
  const other = await subtle.importKey("raw", publicBytes, "X25519", false, []);
  return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: other }, key, 256));
}

async function hkdf(key, salt, info, size) {
  const derived = await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key, size * 8);
  return new Uint8Array(derived);
}

const hkdfKey = (bytes) => subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits", "deriveKey"]);

// What is the same for every message is made once. An empty HMAC key is one of 32 zero bytes.
const fixed = (async () => {
  const hmac = await subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const sign = (bytes) => subtle.sign("HMAC", hmac, bytes);
  const extract = async (label, bytes) => new Uint8Array(await sign(labelled(SUITE, label, bytes)));
  const secret = await hkdfKey(labelled(SUITE, "secret", EMPTY));
  return { extract, secret, pskIdHash: await extract("psk_id_hash", EMPTY) };
})();

/** Return the AES key and the nonce that both sides derive. */
async function schedule(dh, enc, publicBytes, info) {
  const { extract, secret, pskIdHash } = await fixed;
  const context = concat(enc, publicBytes);
  const [ikm, infoHash] = await Promise.all([hkdfKey(labelled(KEM, "eae_prk", dh)), extract("info_hash", info)]);
  const shared = await hkdf(ikm, EMPTY, expansion(KEM, "shared_secret", context, 32), 32);
  const inner = concat(Uint8Array.of(0), pskIdHash, infoHash);
  const how = { name: "HKDF", hash: "SHA-256", salt: shared, info: expansion(SUITE, "key", inner, 32) };
  const [key, nonce] = await Promise.all([
    subtle.deriveKey(how, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    hkdf(secret, shared, expansion(SUITE, "base_nonce", inner, 12), 12),
  ]);
  return { key, nonce };
}

/** Return the plaintext of `sealed` (enc, then ciphertext); throws when it was sealed to another key or place. */
export async function open(key, publicBytes, sealed, info) {
  const enc = sealed.subarray(0, 32);
  const dh = await exchange(key, enc);
  const { key: aes, nonce } = await schedule(dh, enc, publicBytes, info);
  return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: nonce }, aes, sealed.subarray(32)));
}

/** Return enc and ciphertext of `plaintext`, sealed to a public key of 32 bytes. `pair` is drawn but for tests. */
export async function seal(publicBytes, plaintext, info, pair) {
  const own = pair ?? (await subtle.generateKey("X25519", true, ["deriveBits"]));
  const enc = new Uint8Array(await subtle.exportKey("raw", own.publicKey));
  const dh = await exchange(own.privateKey, publicBytes);
  const { key, nonce } = await schedule(dh, enc, publicBytes, info);
  return concat(enc, new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, plaintext)));
}
