/* An officer's approval (docs/formats/permit.md): the release sealed to the room, and the signature over all of it. */

import { concat, counted, fromBase64, hex, Mistake, number, sha256, toBase64, utf8 } from "./bytes.js";
import { open, seal } from "./hpke.js";
import { child, cover } from "./keytree.js";

const SUITE = 1;
const DAY_MS = 86400000;
const ROOT_BYTES = 32;
const BEFORE = "Some of these entries were recorded before this key was an officer’s. Let another officer decide.";
const SPOILT = "A share addressed to this key does not open with it. Tell IT Support to run “muniment verify”.";
const AT_ONCE = 64; // epochs that are opened together; the count on the page moves after each lot

/** Return the text of `muniment-signed-approval/1`. `asked` is of `readApprovalRequest`, `key` of `openKey`. */
export async function approve(asked, key, nowMs, onProgress = () => {}) {
  const isExemption = asked.request.kind === "exemption";
  const release = isExemption ? new Uint8Array(0) : utf8(await releaseText(asked, key, onProgress));
  const approval = approvalText(asked, key.id, nowMs, isExemption ? "" : hex(await sha256(release)));
  const signed = concat(utf8("muniment/1 approval\n"), utf8(approval));
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key.signing, signed));
  const sealed = isExemption ? release : await sealRelease(asked.request, release);
  return JSON.stringify({
    approval,
    format: "muniment-signed-approval/1",
    release: toBase64(sealed),
    signature: toBase64(signature),
  });
}

function approvalText({ request, requestSha256, selectionSha256 }, officer, nowMs, releaseSha256) {
  return JSON.stringify({
    decided_ms: nowMs,
    ends_ms: nowMs + request.days * DAY_MS,
    format: "muniment-approval/1",
    number: request.number,
    officer,
    origin: request.origin,
    release_sha256: releaseSha256,
    request_sha256: requestSha256,
    revision: request.revision,
    selection_sha256: selectionSha256,
  });
}

/** Return the text of the release: the fewest nodes that cover exactly what is selected, of each epoch. */
export async function releaseText(asked, key, onProgress = () => {}) {
  const covers = [];
  for (let at = 0; at < asked.epochs.length; at += AT_ONCE) {
    const lot = asked.epochs.slice(at, at + AT_ONCE);
    const roots = await Promise.all(lot.map((each) => officersRoot(asked, key, each)));
    lot.forEach((each, place) => covers.push(...coversOf(each, roots[place])));
    onProgress(at + lot.length, asked.epochs.length);
  }
  const { number: of, revision } = asked.request;
  return JSON.stringify({ covers, format: "muniment-release/1", number: of, revision });
}

/** Return the officers' root of an epoch, which never leaves this module. */
async function officersRoot(asked, key, { name, retention, epoch }) {
  const wrap = (asked.wraps.get(name) ?? []).find((each) => each?.to === key.keyId);
  if (!wrap) {
    throw new Mistake(BEFORE);
  }
  if (wrap.suite !== SUITE) {
    throw new Mistake("These entries are sealed in a newer way than this page knows. Load it again.");
  }
  const place = concat(number(retention, 2), number(epoch, 4), fromHexKey(key.keyId));
  const info = concat(utf8("muniment/1 officers' share"), Uint8Array.of(SUITE), counted(asked.request.origin), place);
  const root = await open(key.opening, key.publicBytes, fromBase64(wrap.sealed, 80), info).catch(() => null);
  if (root?.length !== ROOT_BYTES) {
    throw new Mistake(SPOILT);
  }
  return root;
}

const fromHexKey = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));

function coversOf({ retention, epoch, meta, content }, root) {
  const sections = [["meta", meta, 0], ["content", content, 1]].filter(([, positions]) => positions.length);
  return sections.map(([section, positions, side]) => {
    const nodes = cover(child(root, side), positions);
    return [retention, epoch, section, nodes.map(([level, index, seed]) => [level, index, toBase64(seed)])];
  });
}

async function sealRelease(request, release) {
  const info = concat(
    utf8("muniment/1 release"),
    Uint8Array.of(SUITE),
    counted(request.origin),
    counted(request.number),
    number(request.revision, 4),
  );
  return seal(fromBase64(request.room_key, 32), release, info);
}
