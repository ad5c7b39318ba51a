"""A batch under construction: frames, rows and receipts of one class, before the flush that makes them count.

First every entry is given its place and its seeds (`add`), then all are sealed together (`seal`).
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import msgspec

from muniment.record import chain, line
from muniment.record.attachments.laying import Sharing
from muniment.record.attachments.secret import Stored
from muniment.record.entry import Entry, Kind, Receipt, Stream
from muniment.record.epoch import Epoch
from muniment.record.frame import TRAILER_BYTES, pack_frame, pack_trailer
from muniment.record.ledger.merkle import Frontier
from muniment.record.row import Row, split_tokens
from muniment.record.sealing import Job, Place, Sealer


class Same(NamedTuple):
    """What is known of an entry's bytes: their keyed name, and the entry that came with the same bytes before."""

    content_id: bytes
    duplicate_of: int | None
    is_kept_as_long: bool  # then the bytes are not stored twice
    message_id: bytes = b""
    texts: bytes = b""


class Placed(NamedTuple):
    """An entry with all the recorder decided about it."""

    entry: Entry
    epoch: Epoch
    captured_ms: int
    expiry_day: int
    policy_digest: bytes
    salt: bytes
    same: Same
    sharing: Sharing = Sharing()

    @property
    def is_observation(self) -> bool:
        """Tell whether the bytes are held by an earlier entry; a message that left changed is always kept whole."""
        return self.same.is_kept_as_long and self.entry.sent is None


class Batch:
    """Collects sealed entries; `frontier` and `sequences` are copies that become the record's when it is stored."""

    def __init__(self, offset: int, number: int, frontier: Frontier, sequences: dict[int, int]) -> None:
        self.first_index = frontier.size
        self.frontier = frontier
        self.sequences = sequences
        self.leaves: list[bytes] = []
        self.rows: list[Row] = []
        self.mentions: list[tuple[bytes, int]] = []
        self.receipts: list[Receipt] = []  # of the entries asked for, not of attachments taken out of them
        self.attachments: dict[bytes, Stored] = {}  # by name: known again once the batch is stored
        self._placed: list[tuple[Placed, Job]] = []
        self._number = number
        self._offset = offset
        self._frames: list[bytes] = []
        self.length = TRAILER_BYTES

    def add(self, placed: Placed, tokens: bytes, level: int) -> None:
        """Give one entry its place at the end of the batch, and the seeds it is sealed with."""
        entry = placed.entry
        sequence = self.sequences.get(entry.stream, 0) + 1
        self.sequences[entry.stream] = sequence
        catalogue_line = _line_of(placed, tokens)
        if placed.is_observation:
            entry = msgspec.structs.replace(entry, kind=Kind.OBSERVATION, content=b"")
        epoch = placed.epoch
        place = Place(
            epoch.number,
            epoch.position,
            placed.captured_ms,
            placed.expiry_day,
            sequence,
            placed.policy_digest,
        )
        job = Job(entry, place, epoch.next_seeds(), catalogue_line, placed.salt, level, placed.sharing)
        self._placed.append((placed, job))

    def seal(self, sealer: Sealer) -> None:
        """Seal all entries; once, for a seed is used for one entry only.

        Raises:
            SealingLost: the batch is of no use any more.
        """
        for (placed, job), (leaf, body) in zip(
            self._placed, sealer.seal([job for _, job in self._placed]), strict=True
        ):
            index = self.first_index + len(self.leaves)
            self._take(job.entry, job.place, job.catalogue_line, index, pack_frame(index, leaf, body))
            self.leaves.append(leaf)
            self.mentions.extend((token, index) for token in split_tokens(job.catalogue_line.tokens))
            self.frontier.append(sha256(b"\0" + leaf).digest())
            if placed.sharing.key:
                continue
            self.receipts.append(
                Receipt(
                    index=index,
                    stream=Stream(job.entry.stream),
                    sequence=job.place.sequence,
                    captured_ms=placed.captured_ms,
                    duplicate_of=placed.same.duplicate_of,
                )
            )
        self._placed.clear()

    def _take(self, entry: Entry, place: Place, told: line.Line, index: int, frame: bytes) -> None:
        self.rows.append(
            Row(
                index,
                entry.kind,
                entry.channel,
                entry.retention,
                place.epoch,
                place.position,
                self._number,
                self._offset + self.length - TRAILER_BYTES,
                len(frame),
                entry.stream,
                place.sequence,
                place.captured_ms,
                place.expiry_day,
                entry.capture,
                told.direction,
                told.size,
                told.sent_size,
                int(told.shielded),
                told.about,
                told.content_id or None,
                told.dated_ms,
                told.message_id or None,
                told.texts or None,
            )
        )
        self._frames.append(frame)
        self.length += len(frame)

    def move_to(self, offset: int, number: int) -> None:
        """Place the batch at the start of another segment of the same epoch; nothing sealed depends on it."""
        shift = offset - self._offset
        self._offset, self._number = offset, number
        self.rows = [row._replace(at=row.at + shift, number=number) for row in self.rows]

    def pieces(self) -> list[bytes]:
        """Return what is written: the frames and the trailer."""
        trailer = pack_trailer(len(self._frames), self.first_index, self.frontier.size, self.frontier.root())
        return [*self._frames, trailer]


def _line_of(placed: Placed, tokens: bytes) -> line.Line:
    entry = placed.entry
    size = chain.parse_manifest(entry.content).length if entry.blobs else len(entry.content)
    if placed.sharing.key:
        size = 0  # the exact length of a file tells which it is
    return line.Line(
        line.VERSION,
        entry.direction,
        size,
        0 if entry.sent is None else len(entry.sent),
        bool(entry.shielded),
        tokens,
        b"" if placed.is_observation else placed.same.content_id,
        entry.about if placed.same.duplicate_of is None else placed.same.duplicate_of,
        entry.blobs or tuple(reference.entry for reference in placed.sharing.names),
        entry.dated_ms,
        placed.same.message_id,
        placed.same.texts,
    )
