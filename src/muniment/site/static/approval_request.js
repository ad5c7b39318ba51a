/* What an officer is asked to sign (docs/formats/permit.md), read from the very text that will be hashed and signed. */

import { fromBase64, hex, isHash, Mistake, sha256, utf8 } from "./bytes.js";

const FORMAT = "muniment-approval-request/1";
const REQUEST_FORMAT = "muniment-permit/1";
const ITEM_BYTES = 19;
const [META, CONTENT, BYTES_ONLY] = [1, 2, 4];
const SECTIONS = new Set([META, META | CONTENT, CONTENT | BYTES_ONLY]);
const NOT_THIS =
  "Do not approve this. Load the page again; if it says so again, tell IT Support and the data protection officer.";
const TEXTS = [
  "origin", "number", "kind", "purpose", "clause", "case", "reason", "alternative", "advice", "depth",
  "selection_sha256", "room_key", "parent",
];
const NUMBERS = ["revision", "from_ms", "until_ms", "entries", "shielded", "drafted_ms", "days"];
const LISTS = ["readers", "subjects", "windows", "streams", "sites"];
const OBJECTS = ["requester", "checkpoint"];
const MEMBERS = new Set(["format", ...TEXTS, ...NUMBERS, ...LISTS, ...OBJECTS]);

const wrong = (what) => new Mistake(`${what} ${NOT_THIS}`);

/** Return `request` (its members), the hashes, and `epochs`: what is selected, by class and epoch, with the shares. */
export async function readApprovalRequest(data) {
  const file = parsed(data, "What the console sent is not a request to approve.");
  if (file?.format !== FORMAT || typeof file.request !== "string" || !Array.isArray(file.wraps)) {
    throw wrong("What the console sent is not a request to approve.");
  }
  const request = readRequest(file.request);
  const selection = fromBase64(file.selection);
  const selectionSha256 = hex(await sha256(selection));
  if (!isHash(request.selection_sha256) || selectionSha256 !== request.selection_sha256) {
    throw wrong("The entries that would be opened are not those the request names.");
  }
  const { epochs, opened } = readSelection(selection);
  if (opened !== request.entries) {
    throw wrong(`The request says ${request.entries} entries, but ${opened} would be opened.`);
  }
  if (request.depth === "envelope" && epochs.some((each) => each.content.length)) {
    throw wrong("The request asks for the envelope only, but content would be opened.");
  }
  return {
    request,
    requestSha256: hex(await sha256(utf8(file.request))),
    selectionSha256,
    epochs,
    wraps: wrapsByEpoch(file.wraps),
  };
}

function parsed(text, complaint) {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(complaint);
  }
}

/** Return the members of a request. A text that two readers could take differently is refused. */
export function readRequest(text) {
  const request = parsed(text, "The request is not written as requests are.");
  const has = (names, isRight) => names.every((name) => isRight(request?.[name]));
  const isWhole =
    request?.format === REQUEST_FORMAT &&
    has(TEXTS, (value) => typeof value === "string") &&
    has(NUMBERS, (value) => Number.isSafeInteger(value) && value >= 0) &&
    has(LISTS, Array.isArray) &&
    has(OBJECTS, (value) => value !== null && typeof value === "object") &&
    Object.keys(request).every((name) => MEMBERS.has(name));
  if (!isWhole) throw wrong("The request lacks something, or holds something that is no part of a request.");
  if (JSON.stringify(inOrder(request)) !== text) throw wrong("The request could be read in two ways.");
  return request;
}

function inOrder(value) {
  if (Array.isArray(value)) return value.map(inOrder);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, inOrder(value[name])]));
}

/** Return what a selection holds by class and epoch, and how many entries it opens. */
export function readSelection(bytes) {
  if (bytes.length % ITEM_BYTES) throw wrong("The list of entries is cut off.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const epochs = new Map();
  let [opened, last] = [0, -1n];
  for (let at = 0; at < bytes.length; at += ITEM_BYTES) {
    const index = view.getBigUint64(at);
    const [retention, epoch, position] = [view.getUint16(at + 8), view.getUint32(at + 10), view.getUint32(at + 14)];
    const sections = view.getUint8(at + 18);
    if (index <= last || position >= 2 ** 24 || !SECTIONS.has(sections)) {
      throw wrong("The list of entries is out of order.");
    }
    last = index;
    if (!(sections & BYTES_ONLY)) opened += 1;
    const name = `${retention}/${epoch}`;
    if (!epochs.has(name)) epochs.set(name, { name, retention, epoch, meta: [], content: [] });
    if (sections & META) epochs.get(name).meta.push(position);
    if (sections & CONTENT) epochs.get(name).content.push(position);
  }
  return { epochs: inPlace(epochs), opened };
}

/** Return the epochs in the order of class and number, the positions of each in their own order. */
function inPlace(epochs) {
  const found = [...epochs.values()].sort((one, other) => one.retention - other.retention || one.epoch - other.epoch);
  for (const each of found) for (const section of [each.meta, each.content]) section.sort((one, other) => one - other);
  if (found.some((each) => hasTwice(each.meta) || hasTwice(each.content))) {
    throw wrong("The list of entries names one twice.");
  }
  return found;
}

const hasTwice = (positions) => positions.some((position, at) => at > 0 && position === positions[at - 1]);

function wrapsByEpoch(items) {
  const wraps = new Map();
  for (const item of items) {
    if (!Array.isArray(item?.wraps)) throw wrong("The officers’ shares are not written as they should be.");
    wraps.set(`${item.class}/${item.epoch}`, item.wraps);
  }
  return wraps;
}
