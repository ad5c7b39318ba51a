/* The key tree (docs/formats/keytree.md): from a root to the fewest nodes that cover exactly the leaves asked for. */

import { utf8 } from "./bytes.js";
import { _SHA256 as Sha256 } from "./noble-hashes/sha2.js";

export const DEPTH = 24;
const LABELS = [utf8("muniment/1 child 0"), utf8("muniment/1 child 1")];

// A child hashes 50 bytes: one block. Two hashes that have read their label are copied for each child.
const STARTED = LABELS.map((label) => new Sha256().update(label));
const working = new Sha256();

/** Return the left (0) or right (1) child of a node of 32 bytes. */
export function child(seed, side) {
  const found = new Uint8Array(32);
  STARTED[side]._cloneInto(working).update(seed).digestInto(found);
  return found;
}

/** Return [level, index] of the fewest nodes whose leaves together are `positions`, which rise; in order. */
export function coveringNodes(positions) {
  const nodes = [];
  for (let at = 0; at < positions.length; ) {
    let after = at + 1;
    while (after < positions.length && positions[after] === positions[after - 1] + 1) after += 1;
    alignedNodes(positions[at], positions[after - 1] + 1, nodes);
    at = after;
  }
  return nodes;
}

function alignedNodes(from, until, nodes) {
  let low = from;
  while (low < until) {
    let levels = low === 0 ? DEPTH : Math.min(DEPTH, 31 - Math.clz32(low & -low));
    while (2 ** levels > until - low) levels -= 1;
    nodes.push([DEPTH - levels, low / 2 ** levels]);
    low += 2 ** levels;
  }
}

/** Return [level, index, seed] of the fewest nodes that cover `positions`; what two paths share is derived once. */
export function cover(root, positions) {
  const path = [root];
  let [lastLevel, lastIndex] = [0, 0];
  return coveringNodes(positions).map(([level, index]) => {
    let shared = Math.min(level, lastLevel);
    while (index >> (level - shared) !== lastIndex >> (lastLevel - shared)) shared -= 1;
    for (let at = shared; at < level; at += 1) path[at + 1] = child(path[at], (index >> (level - at - 1)) & 1);
    [lastLevel, lastIndex] = [level, index];
    return [level, index, path[level]];
  });
}
