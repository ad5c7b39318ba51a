"""Attachments that come again: what a mailbox in which the same files go round takes on the disk.

The letters are invented; their attachments are noise, which no compression makes smaller, so that what is saved is
sharing alone. A file goes out once, and then again and again, the more popular the more often; nothing but the
letter around it differs.
"""

from __future__ import annotations

import random
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256

from benchmarks.harness import Figure, Options, Peer, compared, scratch, side_by_side, tree_bytes
from benchmarks.importing import compressed, import_all
from benchmarks.samples import messages
from benchmarks.seal import MAILPILER, write_maildir
from muniment.record.attachments.reference import LEAST_BYTES

MOST_LETTERS = 2_000
FILES_A_LETTER = 0.4  # how many different files there are
SIZES = (LEAST_BYTES, 9_000, 25_000, 60_000, 140_000)
MAILPILER_STORED = 0.60  # 24 TB of 40 TB, its users' figure: jsuto/piler issue 419


def measure(options: Options) -> Iterator[Figure]:
    """Yield the speed of the import, and what of the raw mail is stored."""
    with scratch(options) as folder:
        letters = list(with_attachments(min(options.messages, MOST_LETTERS)))
        write_maildir(folder, letters)
        source = folder / "mail"
        raw, sizes = tree_bytes(source), dict[str, float]()
        results = side_by_side(options, {"muniment": partial(import_all, source, sizes)})
        files = [part for letter in letters for part in _files(letter)]
        different = {sha256(part).digest(): len(part) for part in files}
        what = (
            f"{len(letters):,} letters, {raw:,} bytes; {len(files):,} attachments of {len(different):,} different "
            f"files, which are {sum(different.values()) / sum(map(len, files)):.3f} of them"
        )
        yield compared(
            results, name="imported with attachments", unit="messages/s", published=MAILPILER, note=what
        )
        alone, together = compressed(source)
        rest = sum(map(len, letters)) - sum(len(b64encode(part)) for part in files)
        floor = (sum(different.values()) + rest * 0.36) / raw
        yield Figure(
            name="attachments: whole home",
            unit="of raw",
            value=sizes["whole home"] / raw,
            peers=[
                Peer(name="each different file once, and nothing but its bytes and letters", value=floor),
                Peer(name="zstd -3, every letter by itself, in the clear", value=alone / raw),
                Peer(name="zstd -3, all letters in one stream, in the clear", value=together / raw),
                Peer(name="mailpiler, other mail, as published", value=MAILPILER_STORED),
            ],
        )


def with_attachments(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield letters of which each has a text and one or two files."""
    chance = random.Random(seed)
    files = [chance.randbytes(chance.choice(SIZES)) for _ in range(max(1, int(count * FILES_A_LETTER)))]
    weights = [1 / rank for rank in range(1, len(files) + 1)]
    for text in messages(count, seed):
        yield _letter(text, chance.choices(files, weights, k=chance.choice((1, 1, 2))))


def _letter(text: bytes, files: Sequence[bytes]) -> bytes:
    head, _, body = text.partition(b"\r\n\r\n")
    fields = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-"))
    parts = [b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body]
    for number, data in enumerate(files):
        encoded = b64encode(data)
        lines = b"\r\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76))
        parts.append(
            b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: attachment; filename="file-%d.bin"\r\n\r\n%s\r\n' % (number, lines)
        )
    multipart = b"".join(b"--bench\r\n" + part for part in parts) + b"--bench--\r\n"
    return fields + b'\r\nContent-Type: multipart/mixed; boundary="bench"\r\n\r\n' + multipart


def _files(letter: bytes) -> Iterator[bytes]:
    """Yield the files of a letter."""
    for part in letter.split(b"Content-Transfer-Encoding: base64")[1:]:
        yield b64decode(part.partition(b"\r\n\r\n")[2].partition(b"\r\n--bench")[0])
