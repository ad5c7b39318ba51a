"""A mail address in the one form that is stored and compared: case-folded local part, lower-case ASCII domain.

The domain system does not tell capitals apart (RFC 4343). A local part may (RFC 5321 section 2.4), but no mail
system an organisation uses does, and two people must not differ by a capital only.
"""

from __future__ import annotations

import re
import unicodedata

from muniment.policy.errors import BadInput
from muniment.policy.reserved import is_domain

LONGEST = 254
_LONGEST_LOCAL_BYTES = 64
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+")


def fold(address: str) -> str:
    """Return `address` in the form that is compared.

    Raises: BadInput when it is not local@domain.
    """
    local, at, domain = address.strip().rpartition("@")
    folded = f"{_fold_local(local)}@{_fold_domain(domain)}"
    if not at or len(folded) > LONGEST:
        raise _no_address(address)
    return folded


def fold_or_none(address: str) -> str | None:
    """Return `fold(address)`, None when it is no address; for what arrives on the wire."""
    try:
        return fold(address)
    except BadInput:
        return None


def _fold_local(local: str) -> str:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())
    if not _LOCAL.fullmatch(folded) or not folded.isprintable():
        raise _no_address(local)
    if len(folded.encode()) > _LONGEST_LOCAL_BYTES:
        raise _no_address(local)
    return folded


def _fold_domain(domain: str) -> str:
    folded = domain.rstrip(".").lower()
    if not folded.isascii():
        try:
            folded = folded.encode("idna").decode("ascii").lower()
        except UnicodeError as error:
            raise _no_address(domain) from error
    if not folded or not is_domain(folded):
        raise _no_address(domain)
    return folded


def _no_address(found: str) -> BadInput:
    return BadInput(f"{found[:60]!r} is not a mail address; expected, for instance, tomas@training.example")
