"""Compression dictionaries are part of the format: each is kept for ever under its number and its digest.

A dictionary holds only text written or generated for the purpose, so no recorded mail can leak through it.

Source: docs/formats/packing.md, docs/decisions/0005-a-dictionary-made-of-our-own-text.md.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import zstandard

from muniment.policy.errors import Tampered

NONE = 0
CURRENT = 1  # for content
MAPS = 2  # for metadata and facts, which are MessagePack maps

DIGESTS = {
    1: "a5df0bafabcb9d0391ee88d5fc562d1f09f243a7a67e4b9ff1adedbdbfd14d70",
    2: "fa940dc0be210605115f07d172bb749d874081f9864e30bdbf34c85a5e088718",
}


def known(number: int) -> bool:
    """Tell whether there is a dictionary of this number."""
    return number == NONE or number in DIGESTS


@cache
def dictionary(number: int) -> zstandard.ZstdCompressionDict | None:
    """Return a dictionary by its number, None for number 0.

    Raises: Tampered when the file shipped with the product is not the one this number stands for.
    """
    if number == NONE:
        return None
    data = (Path(__file__).parent / "dictionaries" / f"{number}.zdict").read_bytes()
    if sha256(data).hexdigest() != DIGESTS[number]:
        raise Tampered(f"compression dictionary {number} was changed; install this version of Muniment again")
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
