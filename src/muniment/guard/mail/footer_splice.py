"""A splice replaces some bytes of a message by others; a footer is nothing but splices.

Because each splice carries the bytes it took out, undoing all of them gives the message back exactly.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Unstampable(Exception):
    """The footer cannot be added safely. The message says what was found, and what the sender can do."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(
            f"{found}, so the company's particulars that clause 2.2 asks for cannot be added. {remedy}"
        )


class Splice(msgspec.Struct, frozen=True):
    """At offset `at` of the original message the bytes `old` give way to `new`."""

    at: int
    old: bytes
    new: bytes


def ordered(splices: Iterable[Splice]) -> tuple[Splice, ...]:
    """Return the splices in the order of the message; those at one offset keep the order given."""
    return tuple(sorted(splices, key=lambda splice: splice.at))


def apply(message: bytes, splices: Iterable[Splice]) -> bytes:
    """Return the message with every splice made. The splices are ordered and do not overlap."""
    pieces: list[bytes] = []
    done = 0
    for splice in splices:
        pieces += (message[done : splice.at], splice.new)
        done = splice.at + len(splice.old)
    pieces.append(message[done:])
    return b"".join(pieces)


def undo(message: bytes, splices: Iterable[Splice]) -> bytes:
    """Return what `apply` was given, from what it returned."""
    pieces: list[bytes] = []
    done = shift = 0
    for splice in splices:
        pieces += (message[done : splice.at + shift], splice.old)
        done = splice.at + shift + len(splice.new)
        shift += len(splice.new) - len(splice.old)
    pieces.append(message[done:])
    return b"".join(pieces)
