"""Finding an attachment's entry among the segments of its epoch, by its ledger index. One thread at a time.

Who opens a message has no catalogue, perhaps; the reference in its sealed content is enough.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from muniment.policy.errors import Missing, Tampered
from muniment.record.attachments.blob import is_attachment, open_blob
from muniment.record.attachments.reference import Fetch, Reference
from muniment.record.entry import Retention
from muniment.record.frame import FRAME_HEAD_BYTES, Frame, walk
from muniment.record.home import Home
from muniment.record.leaf import place_of
from muniment.record.segment import SegmentId, mapped

_EPOCHS = 64


class _Spot(NamedTuple):
    segment: SegmentId
    at: int
    length: int


class Attachments:
    """Opens attachments; of the last few epochs it remembers where theirs lie, and nothing of what they say."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._epochs: OrderedDict[tuple[int, int], dict[int, _Spot]] = OrderedDict()

    def of(self, leaf: bytes) -> Fetch:
        """Return what fetches the attachments that the entry with this leaf names."""
        return partial(self._fetch, place_of(leaf)[0])

    def _fetch(self, retention: int, reference: Reference) -> bytes:
        """Return the bytes of an attachment.

        Raises:
            Missing: its segment is gone. Tampered: it does not open.
        """
        spot = self._spot(retention, reference)
        path = spot.segment.path(self._home)
        try:
            with path.open("rb") as file:
                data = os.pread(file.fileno(), spot.length, spot.at)
        except FileNotFoundError:
            raise _missing(retention, reference) from None
        frame = next(iter(walk(data, 0)), None)
        if not isinstance(frame, Frame) or frame.ledger_index != reference.entry:
            raise Tampered(
                f"{path}: entry {reference.entry} does not stand at byte {spot.at}; run muniment verify"
            )
        return open_blob(frame, reference.key)

    def _spot(self, retention: int, reference: Reference) -> _Spot:
        epoch = (retention, reference.epoch)
        if reference.entry not in self._epochs.get(epoch, ()):
            self._epochs[epoch] = self._look_through(*epoch)  # it may have grown since
        self._epochs.move_to_end(epoch)
        while len(self._epochs) > _EPOCHS:
            self._epochs.popitem(last=False)
        try:
            return self._epochs[epoch][reference.entry]
        except KeyError:
            raise _missing(retention, reference) from None

    def _look_through(self, retention: int, epoch: int) -> dict[int, _Spot]:
        """Return where the attachments of an epoch lie."""
        found: dict[int, _Spot] = {}
        number = 0
        while (path := (segment := SegmentId(retention, epoch, number)).path(self._home)).exists():
            with mapped(path) as data:
                for item in walk(data):
                    if isinstance(item, Frame) and is_attachment(item.leaf):
                        length = FRAME_HEAD_BYTES + len(item.body)
                        found[item.ledger_index] = _Spot(segment, item.offset, length)
            number += 1
        return found


def _missing(retention: int, reference: Reference) -> Missing:
    name = Retention(retention).name.lower()
    return Missing(
        f"entry {reference.entry}, an attachment, is in no segment of {name}, epoch {reference.epoch}: it has expired, "
        "or lies in a backup"
    )
