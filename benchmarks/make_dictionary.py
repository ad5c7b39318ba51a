"""Makes compression dictionary No. 1 again, to the byte: `benchmarks/dictionary/*.txt`, one file after the other.

The texts were written for the purpose and hold no recorded mail. What stands nearest to the end is found most cheaply,
so header lines come last.

    python -m benchmarks.make_dictionary [FILE]

prints size and digest and writes the dictionary to FILE; without FILE its exit code tells whether the shipped one is
the same. Source: docs/formats/packing.md, docs/decisions/0005-a-dictionary-made-of-our-own-text.md.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

from muniment.record import dictionary

NUMBER = 1
TEXTS = Path(__file__).parent / "dictionary"


def made() -> bytes:
    """Return the texts in the order of their names."""
    return b"".join(path.read_bytes() for path in sorted(TEXTS.glob("*.txt")))


def main(arguments: list[str]) -> int:
    """Write or compare the dictionary; return 1 when the shipped one differs."""
    data = made()
    digest = sha256(data).hexdigest()
    print(f"{len(data):,} bytes, SHA-256 {digest}")
    if arguments:
        Path(arguments[0]).write_bytes(data)
        return 0
    return 0 if dictionary.DIGESTS.get(NUMBER) == digest else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
