"""Which entries a batch becomes: an attachment stands before the first message that names it, in the same flush.

Mail from outside is never compared with what is stored: its sender would learn from the time it takes. Pure but for the
day's secret that is handed in. Source: docs/decisions/0020-attachments-stored-once.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from muniment.record import packing
from muniment.record.attachments.reference import LEAST_BYTES, Reference
from muniment.record.attachments.secret import DaySecret, Named, Stored
from muniment.record.chain import is_chain
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Stream

MOST_A_MESSAGE = 100
_OWN = (Direction.OUTBOUND, Direction.INTERNAL)
_UNWATCHED = (Capture.IMPORT, Capture.JOURNAL, Capture.HAND)  # nobody waits for their end


class Sharing(NamedTuple):
    """What of an entry is shared: the attachments it names, or the key of the attachment that it holds.

    `prepared` are its faces with base64 undone, when somebody looked.
    """

    prepared: packing.Prepared | None = None
    names: tuple[Reference, ...] = ()
    key: bytes = b""


class Laid(NamedTuple):
    """An entry of the batch; `at` is its place among those asked for, None for an attachment taken out of one."""

    entry: Entry
    at: int | None
    sharing: Sharing = Sharing()


class Layout(NamedTuple):
    """The entries in order, where each of those asked for stands among them, and the attachments that are new."""

    laid: list[Laid]
    places: list[int]
    stored: dict[bytes, Stored]


def lay_out(
    entries: Sequence[Entry], held_elsewhere: Collection[int], secret: DaySecret, first: int, epoch: int
) -> Layout:
    """Return the entries of a batch whose first has ledger index `first`; `held_elsewhere` hold no bytes themselves."""
    layout = Layout([], [], {})
    for at, entry in enumerate(entries):
        sharing = Sharing()
        if at not in held_elsewhere and _may_have_some(entry):
            prepared = packing.prepare(entry.content, entry.sent)
            sharing = Sharing(prepared, _take_out(prepared, entry, secret, layout, first, epoch))
        layout.places.append(len(layout.laid))
        layout.laid.append(Laid(entry, at, sharing))
    return layout


def most_entries(entries: Sequence[Entry]) -> int:
    """Return a number of entries that the layout of these does not exceed."""
    return sum(
        1 + min(MOST_A_MESSAGE, (len(entry.content) + len(entry.sent or b"")) // LEAST_BYTES)
        for entry in entries
    )


def _may_have_some(entry: Entry) -> bool:
    """Tell whether an entry is mail that may hold base64 of an attachment; a chain has none of its own."""
    is_mail = entry.kind == Kind.RECORD and entry.channel == Channel.SMTP and not entry.blobs
    if not is_mail or is_chain(len(entry.content)):
        return False
    if len(entry.content) > LEAST_BYTES and _has_base64(entry.content):
        return True
    # What was added on the way out is mostly a footer.
    sent = entry.sent or b""
    return len(sent) - len(entry.content) > LEAST_BYTES and _has_base64(sent)


def _has_base64(face: bytes) -> bool:
    # Searched from the end: for these words that takes half the time.
    return face.rfind(b"ase64") >= 0 or face.rfind(b"ASE64") >= 0


def _is_compared(entry: Entry) -> bool:
    return entry.direction in _OWN or entry.capture in _UNWATCHED


def _take_out(
    prepared: packing.Prepared, entry: Entry, secret: DaySecret, layout: Layout, first: int, epoch: int
) -> tuple[Reference, ...]:
    """Lay the new attachments of a message; return all it names."""
    names: list[Reference] = []
    own: dict[bytes, Stored] = {}
    for run, data in enumerate(prepared.raws):
        if len(data) < LEAST_BYTES or len(names) == MOST_A_MESSAGE:
            continue
        named = secret.name(data)
        stored = own.get(named.name)
        if stored is None and _is_compared(entry):
            stored = layout.stored.get(named.name) or secret.find(named.name)
        if stored is None:
            stored = Stored(first + len(layout.laid), epoch)
            layout.laid.append(_attachment(entry, data, named))
            layout.stored.setdefault(named.name, stored)
        own[named.name] = stored
        names.append(Reference(run, *stored, named.key))
    return tuple(names)


def _attachment(entry: Entry, data: bytes, named: Named) -> Laid:
    held = Entry(
        stream=Stream.MAIL_ATTACHMENT,
        kind=Kind.BLOB,
        channel=entry.channel,
        retention=entry.retention,
        capture=entry.capture,
        content=data,
    )
    return Laid(held, None, Sharing(key=named.key))
