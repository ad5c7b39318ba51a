/* An officer's key file, opened by its six words (docs/formats/officer-key.md). What it holds stays in this page. */

import { concat, fromBase64, hex, isSame, Mistake, sha256, toBase64, utf8 } from "./bytes.js";
import { privateKey, publicHalf } from "./hpke.js";

const subtle = crypto.subtle;
const FORMAT = "muniment-officer-key/1";
const FIELDS = new Set(
  ["format", "example", "id", "name", "public_key", "signing_key", "kdf", "cipher", "nonce", "sealed"],
);
const LARGEST_FILE = 16384;
const PKCS8_ED25519 = Uint8Array.from([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32]);
const OTHER_COPY = "Take the copy on another medium.";

/** Return a passphrase in its one form, whatever stood between the words. */
export function readWords(typed) {
  const words = typed.toLowerCase().replace(/[^a-z]+/g, " ").trim().split(" ").filter(Boolean);
  if (words.length !== 6) {
    throw new Mistake(`The key has six words, you typed ${words.length}. Copy them from your sheet, in order.`);
  }
  return words.join("-");
}

/** Return the fields of a key file; nothing is opened yet. */
export function readKeyFile(text) {
  let file;
  try {
    file = text.length <= LARGEST_FILE ? JSON.parse(text) : {};
  } catch {
    file = {};
  }
  if (!file || file.format !== FORMAT) {
    throw new Mistake("This is not an officer’s key file. Choose the one you were given with your sheet.");
  }
  if (Object.keys(file).some((name) => !FIELDS.has(name))) {
    throw new Mistake(`The key file holds fields that do not belong there. ${OTHER_COPY}`);
  }
  const { iterations, name, salt } = file.kdf ?? {};
  const fewest = file.example === true ? 10000 : 600000;
  const isSane = Number.isInteger(iterations) && iterations >= fewest && iterations <= 10000000;
  const isKnown = name === "PBKDF2-HMAC-SHA256" && file.cipher === "AES-256-GCM" && typeof file.id === "string";
  if (!isSane || !isKnown) throw new Mistake(`The key file was altered. ${OTHER_COPY}`);
  return {
    id: file.id,
    name: String(file.name),
    publicBytes: fromBase64(file.public_key, 32),
    iterations,
    salt: fromBase64(salt, 16),
    nonce: fromBase64(file.nonce, 12),
    sealed: fromBase64(file.sealed, 48),
  };
}

/** Return the key's id as the sheet shows it, 16 digits. */
export async function keyId(publicBytes) {
  return hex((await sha256(publicBytes)).subarray(0, 8));
}

/** Return the opened key: `id`, `keyId`, `publicBytes`, and two keys that WebCrypto holds and does not give out. */
export async function openKey(file, words) {
  const plain = await unseal(file, readWords(words));
  if (!isSame(await publicHalf(plain), file.publicBytes)) {
    throw new Mistake(`The key file holds another key than it says. ${OTHER_COPY}`);
  }
  const opened = {
    id: file.id,
    keyId: await keyId(file.publicBytes),
    publicBytes: file.publicBytes,
    opening: await privateKey(plain),
    signing: await signingKey(plain),
  };
  plain.fill(0);
  return opened;
}

async function unseal(file, passphrase) {
  const typed = await subtle.importKey("raw", utf8(passphrase), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: file.salt, iterations: file.iterations };
  const key = await subtle.deriveKey(how, typed, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  const additionalData = utf8(`${FORMAT}\n${file.id}\n${toBase64(file.publicBytes)}\n`);
  try {
    return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: file.nonce, additionalData }, key, file.sealed));
  } catch {
    const id = (await keyId(file.publicBytes)).replace(/(.{4})(?=.)/g, "$1 ");
    throw new Mistake(`The six words do not open the key of ${file.name}. Compare them with the sheet of key ${id}.`);
  }
}

/** Return the Ed25519 key that belongs to an X25519 private key. */
async function signingKey(plain) {
  const from = await subtle.importKey("raw", plain, "HKDF", false, ["deriveBits"]);
  const info = utf8("muniment/1 officer signing key");
  const seed = await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info }, from, 256);
  return subtle.importKey("pkcs8", concat(PKCS8_ED25519, new Uint8Array(seed)), "Ed25519", false, ["sign"]);
}
