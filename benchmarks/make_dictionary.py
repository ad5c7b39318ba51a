"""Makes the compression dictionaries again, to the byte, from text that was written for the purpose.

1, for content: `benchmarks/dictionary/*.txt`, one file after the other. What stands nearest to the end is found most
   cheaply, so header lines come last.
2, for metadata and facts: words and header lines of the first, and then the maps of `benchmarks/dictionary-2/maps.json`
   as MessagePack. A text that begins with `b:` stands for bytes; a list is metadata, anything else facts.

    python -m benchmarks.make_dictionary [FILE [NUMBER]]

prints numbers, sizes and digests, and writes dictionary NUMBER (1) to FILE; without FILE its exit code tells whether
the shipped ones are the same.
Source: docs/formats/packing.md, docs/decisions/0005-a-dictionary-made-of-our-own-text.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from muniment.record import dictionary

TEXTS = Path(__file__).parent / "dictionary"
MAPS = Path(__file__).parent / "dictionary-2" / "maps.json"
BEFORE_MAPS = ("2-words.txt", "6-headers.txt")


def made(number: int = 1) -> bytes:
    """Return dictionary 1 or 2."""
    if number == dictionary.MAPS:
        return b"".join([*((TEXTS / name).read_bytes() for name in BEFORE_MAPS), *_maps()])
    return b"".join(path.read_bytes() for path in sorted(TEXTS.glob("*.txt")))


def _maps() -> Iterator[bytes]:
    """Yield the maps as they are sealed."""
    encode = msgspec.msgpack.encode
    for item in map(_with_bytes, json.loads(MAPS.read_text())):
        yield encode((item[0], encode(item[1]))) if isinstance(item, list) else encode(item)


def _with_bytes(value: Any) -> Any:
    """Return a value with the texts that stand for bytes replaced by them."""
    if isinstance(value, str) and value.startswith("b:"):
        return value[2:].encode()
    if isinstance(value, list):
        return [_with_bytes(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_bytes(item) for name, item in value.items()}
    return value


def main(arguments: list[str]) -> int:
    """Write or compare; return 1 when a shipped dictionary differs."""
    found = {number: made(number) for number in dictionary.DIGESTS}
    digests = {number: sha256(data).hexdigest() for number, data in found.items()}
    for number, data in found.items():
        print(f"{number}: {len(data):,} bytes, SHA-256 {digests[number]}")
    if arguments:
        Path(arguments[0]).write_bytes(found[int(arguments[1]) if arguments[1:] else 1])
        return 0
    return 0 if digests == dictionary.DIGESTS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
