"""An officer's approval in a real Chromium whose processor is slowed down fourfold, as on a cheap phone.

What is measured is what happens between her press on Approve and the signed text: six words to key (a million rounds),
a share for each epoch, the key trees, the seal and the signature. Fetching and handing in are not in it. The browser's
throttle slows down scripts and rendering; WebCrypto's own threads run on at full speed, and the note says how long
the words took, so that this part can be multiplied too.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Page
from tests.organisation import OFFICERS, private_key_bytes
from tests.permit.modules import blank_page, chromium, run
from tests.permit.vectors import ORIGIN, WORDS, fixed, request

from benchmarks.harness import Figure, Options, say
from muniment.record import keyfile, permit_text, wraps
from muniment.record.permit_selection import Item, digest_of, pack_selection

ENTRIES, EPOCHS, SLOWER = 10_000, 2_000, 4
TARGET_SECONDS = 5.0
MAIL = 2
APPROVE = """
    const [request, approval, key] = [await use("approval_request"), await use("approval"), await use("officer_key")];
    const text = await (await fetch("/request")).text();
    const started = performance.now();
    const opened = await key.openKey(key.readKeyFile(given.file), given.words);
    const unlocked = performance.now();
    const asked = await request.readApprovalRequest(text);
    const signed = await approval.approve(asked, opened, Date.now());
    const done = performance.now();
    return { words: (unlocked - started) / 1000, all: (done - started) / 1000, bytes: signed.length };
"""
# The same trees with the browser's own digest, a level of all of them at once: why a script's SHA-256 is vendored.
DIGESTS = """
    const { coveringNodes } = await use("keytree");
    const labels = [0, 1].map((side) => new TextEncoder().encode(`muniment/1 child ${side}`));
    const started = performance.now();
    const root = (set) => new Map([[0, { seed: new Uint8Array(32), nodes: coveringNodes(set) }]]);
    let [hashed, level] = [0, given.sets.map(root)];
    for (let depth = 1; depth <= 24; depth += 1) {
        const waiting = [];
        level = level.map((tree) => {
            const next = new Map();
            for (const { seed, nodes } of tree.values()) for (const node of nodes.filter(([deep]) => deep >= depth)) {
                const index = node[1] >> (node[0] - depth);
                if (!next.has(index)) {
                    const child = { seed: null, nodes: [] }, block = new Uint8Array(50);
                    block.set(labels[index & 1]);
                    block.set(seed, 18);
                    const digest = crypto.subtle.digest("SHA-256", block);
                    waiting.push(digest.then((found) => (child.seed = new Uint8Array(found))));
                    next.set(index, child);
                }
                next.get(index).nodes.push(node);
            }
            return next;
        });
        hashed += waiting.length;
        await Promise.all(waiting);
    }
    return { seconds: (performance.now() - started) / 1000, hashed };
"""


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figure for positions as an hour of mail has them, and for the worst ones."""
    public = [
        X25519PrivateKey.from_private_bytes(private_key_bytes(each.id)).public_key() for each in OFFICERS
    ]
    recipients = [
        wraps.Recipient(each.id, key.public_bytes_raw()) for each, key in zip(OFFICERS, public, strict=True)
    ]
    own = X25519PrivateKey.from_private_bytes(private_key_bytes(OFFICERS[0].id))
    file = keyfile.write_key(OFFICERS[0].id, OFFICERS[0].name, own, WORDS).decode()
    for name, leaves in (("of an hour's mail", 1 << 12), ("anywhere in the tree", 1 << 24)):
        items = _items(leaves)
        text = _document(items, recipients)
        with chromium() as browser, blank_page(browser, {"/request": text}) as page:
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            say(f"  positions {name}: {len(text):,} bytes of request")
            rounds = [run(page, APPROVE, {"file": file, "words": WORDS}) for _ in range(options.rounds + 1)][
                1:
            ]
            yield _figure(name, rounds, _digests(page, items))


def _figure(name: str, rounds: list[Any], digests: dict[str, Any]) -> Figure:
    words = median(each["words"] for each in rounds)
    return Figure(
        name=f"approval of {ENTRIES:,} entries over {EPOCHS:,} epochs, positions {name}",
        unit="s",
        value=median(each["all"] for each in rounds),
        rounds=[each["all"] for each in rounds],
        target=TARGET_SECONDS,
        is_limit=True,
        note=f"processor {SLOWER} times slower; six words {words:.2f} s of it; {rounds[0]['bytes']:,} bytes handed in; "
        f"the trees alone with the browser's own digest: {digests['hashed']:,} of them in {digests['seconds']:.1f} s",
    )


def _digests(page: Page, items: list[Item]) -> Any:
    sets = [sorted(item.position for item in items if item.epoch == epoch) for epoch in range(EPOCHS)]
    return run(page, DIGESTS, {"sets": [*sets, *sets]})  # meta and content


def _items(leaves: int) -> list[Item]:
    draw = random.Random(1)
    each = ENTRIES // EPOCHS
    places = [(epoch, at) for epoch in range(EPOCHS) for at in sorted(draw.sample(range(leaves), each))]
    return [Item(index, MAIL, epoch, at, 3) for index, (epoch, at) in enumerate(places)]


def _document(items: list[Item], recipients: list[wraps.Recipient]) -> str:
    selection = pack_selection(items)
    shares = []
    for epoch in range(EPOCHS):
        sealed = wraps.seal_share(fixed(f"root {epoch}"), ORIGIN, MAIL, epoch, recipients)
        shares.append({"class": MAIL, "epoch": epoch, "wraps": [wraps.to_json(wrap) for wrap in sealed]})
    asked = json.loads(permit_text.encode(request()))
    asked |= {"entries": len(items), "selection_sha256": digest_of(selection)}
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    document = {"format": permit_text.APPROVAL_REQUEST_FORMAT, "request": text, "wraps": shares}
    return json.dumps(document | {"selection": base64.b64encode(selection).decode()})
