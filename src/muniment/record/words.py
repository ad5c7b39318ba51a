"""Secrets as words people can copy by hand: the English list of BIP-39, 2,048 words of eleven bits each.

Six words are a passphrase (66 bits). Twenty-four words are 32 bytes with a checksum that finds a wrong or swapped word.
Source: BIP-39.
"""

from __future__ import annotations

import re
import secrets
from functools import cache

from mnemonic import Mnemonic

from muniment.policy.errors import BadInput

PASSPHRASE_WORDS, SECRET_WORDS, SECRET_BYTES = 6, 24, 32
_NOT_A_WORD = re.compile(r"[^a-z]+")


def draw_passphrase() -> str:
    """Return six words drawn evenly from the list, joined by hyphens."""
    return "-".join(secrets.choice(_book().wordlist) for _ in range(PASSPHRASE_WORDS))


def read_passphrase(typed: str) -> str:
    """Return a passphrase in its one form, whatever case, spaces, hyphens or numbers it was typed with.

    Raises:
        BadInput: it is not six words of the list; the message never shows them.
    """
    return "-".join(_split(typed, PASSPHRASE_WORDS, "a passphrase"))


def to_words(secret: bytes) -> str:
    """Return 32 bytes as twenty-four words with spaces between.

    Raises:
        BadInput: they are not 32 bytes.
    """
    if len(secret) != SECRET_BYTES:
        raise BadInput(f"{len(secret)} bytes cannot be {SECRET_WORDS} words; expected {SECRET_BYTES} bytes")
    return _book().to_mnemonic(secret)


def from_words(typed: str) -> bytes:
    """Return the 32 bytes that twenty-four words stand for.

    Raises:
        BadInput: a word is missing, unknown, wrong or in another's place; the message never shows them.
    """
    words = _split(typed, SECRET_WORDS, "this secret")
    try:
        return bytes(_book().to_entropy(words))
    except ValueError:
        raise BadInput(
            "the 24 words do not belong together: one is wrong, or two have changed places; "
            "compare them with the sheet"
        ) from None


@cache
def _book() -> Mnemonic:
    return Mnemonic("english")


def _split(typed: str, expected: int, what: str) -> list[str]:
    words = _NOT_A_WORD.sub(" ", typed.lower()).split()
    if len(words) != expected:
        raise BadInput(f"{what} has {expected} words, found {len(words)}; copy them from the sheet, in order")
    known = set(_book().wordlist)
    strange = [str(at) for at, word in enumerate(words, start=1) if word not in known]
    if strange:
        which = f"word {strange[0]} is" if len(strange) == 1 else f"words {', '.join(strange)} are"
        raise BadInput(f"{which} not in the list of words; compare the spelling with the sheet")
    return words
