"""The officers' shares of epochs, as the record holds them: sealed at the epoch's start, or again to a newcomer.

Source: docs/formats/shares.md; R-5.2-f.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from typing import TypeVar

import msgspec

from muniment.policy.errors import Missing, Tampered
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Kind, Retention, Stream
from muniment.record.frame import Frame, body_sha256, parse_sections, walk
from muniment.record.home import Home
from muniment.record.keeper import EpochId
from muniment.record.leaf import parse as parse_leaf
from muniment.record.open_entries import read_plain
from muniment.record.segment import SegmentId
from muniment.record.wraps import EpochWraps, WrittenWrap

_FIRST_READ_BYTES = 1 << 14


class _Opening(msgspec.Struct, frozen=True):
    wraps: list[WrittenWrap]


class _SealedAgain(msgspec.Struct, frozen=True):
    shares: list[EpochWraps] = []


def wraps_of(home: Home, epochs: Iterable[EpochId]) -> list[EpochWraps]:
    """Return every wrap of the officers' share of some epochs, in the order of class and epoch.

    Raises:
        Missing: an epoch has expired. Tampered: its first entry is not one.
    """
    with closing(Catalogue.open_readonly(home.database)) as catalogue:
        again = sealed_again(home, catalogue)
    return [
        EpochWraps(
            class_id=epoch[0], epoch=epoch[1], wraps=(*opening_wraps(home, epoch), *again.get(epoch, ()))
        )
        for epoch in sorted(set(epochs))
    ]


def opening_wraps(home: Home, epoch: EpochId) -> list[WrittenWrap]:
    """Return the wraps in the first entry of an epoch.

    Raises:
        Missing: the epoch has expired. Tampered: other bytes stand there.
    """
    path = SegmentId(*epoch, 0).path(home)
    try:
        with path.open("rb") as file:
            data = file.read(_FIRST_READ_BYTES)
            found = next(iter(walk(data)), None)
            if found is None:
                found = next(iter(walk(data + file.read())), None)
    except OSError:
        raise Missing(f"epoch {epoch[1]} has expired: its shares are destroyed") from None
    if isinstance(found, Frame):
        leaf = parse_leaf(found.leaf)
        is_opening = (leaf.retention, leaf.epoch, leaf.position, leaf.kind) == (*epoch, 0, Kind.EPOCH)
        if is_opening and body_sha256(found.body) == leaf.body_sha256:
            return _read(parse_sections(found.body).plain, _Opening).wraps
    raise Tampered(f"{path} does not begin with the shares of its epoch; run muniment verify")


def sealed_again(home: Home, catalogue: Catalogue) -> dict[EpochId, list[WrittenWrap]]:
    """Return the wraps of later entries that sealed shares again, for instance to a new officer."""
    found: defaultdict[EpochId, list[WrittenWrap]] = defaultdict(list)
    later = "stream = ? AND retention = ? AND position > 0"
    for row in catalogue.rows(later, (Stream.KEYS, Retention.JOURNAL)):
        for share in _read(read_plain(home, row), _SealedAgain).shares:
            found[share.class_id, share.epoch].extend(share.wraps)
    return dict(found)


_Statement = TypeVar("_Statement", _Opening, _SealedAgain)


def _read(plain: bytes, kind: type[_Statement]) -> _Statement:
    try:
        return msgspec.json.decode(plain, type=kind)
    except msgspec.DecodeError:
        raise Tampered("a key event of the record is not written as docs/formats/shares.md says") from None
