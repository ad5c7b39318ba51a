/* Bytes as the formats write them: big-endian numbers, base64 with padding, hexadecimal. */

const HEX = /^([0-9a-f]{2})*$/;
const SPACE = /\s/;
const CHUNK = 0x8000;

/** What a person can mend; the message says what was found and what to do. */
export class Mistake extends Error {}

export const utf8 = (text) => new TextEncoder().encode(text);

/** Return the parts one after the other. */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Return a number in `size` bytes, the highest first. */
export function number(value, size) {
  const bytes = new Uint8Array(size);
  for (let at = size - 1, rest = value; at >= 0; at -= 1, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
  return bytes;
}

/** Return a text after its length in two bytes. */
export function counted(text) {
  const bytes = utf8(text);
  return concat(number(bytes.length, 2), bytes);
}

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function toBase64(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return btoa(parts.join(""));
}

function decoded(text) {
  try {
    if (typeof text === "string" && text.length % 4 === 0 && !SPACE.test(text)) return atob(text);
  } catch {
    // Said below.
  }
  throw new Mistake("A part of the file is not written in base64.");
}

/** Return the bytes of base64 with padding; `length` says how many there must be. */
export function fromBase64(text, length) {
  const raw = decoded(text);
  if (length !== undefined && raw.length !== length) {
    throw new Mistake(`A part of the file has ${raw.length} bytes, expected ${length}.`);
  }
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at);
  return bytes;
}

export const isHash = (text) => typeof text === "string" && text.length === 64 && HEX.test(text);

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Tell whether two arrays hold the same bytes. */
export const isSame = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
