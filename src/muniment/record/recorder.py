"""The recorder: seal, flush, prove. The only code that writes the record.

`Record.append` does, for each retention class of a batch, in this order:

1. move torn tails of earlier failures to quarantine;
2. take the class's epoch, or open one: draw its shares, keep the keeper's (durably), seal the officers' to each of
   them and to the recovery key, as the epoch's first entry;
3. seal every entry into a leaf and a body; extend the tree;
4. write frames and trailer and flush them: the commit point;
5. add the catalogue rows; the leaves wait for the next checkpoint.

A failure before 4 has ended stores nothing that counts; the caller hears `Unavailable`, keeps its bytes and tries
again. `publish` then signs a checkpoint over the leaves, about once a second.
One thread at a time. Source: R-5.1-a, R-2.1-b; notes on write order: Sunlight `internal/ctlog`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from muniment.policy.errors import Unavailable
from muniment.policy.policyfile import PolicyFile
from muniment.record import line, packing, wraps
from muniment.record.attachments.laying import lay_out, most_entries
from muniment.record.attachments.secret import DaySecret
from muniment.record.batch import Batch, Placed, Same
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.entry import Capture, Channel, Entry, Kind, Receipt, Retention, Stream
from muniment.record.epoch import Epoch, Roots
from muniment.record.home import Home
from muniment.record.keeper import QUARTER_MS, Keeper
from muniment.record.keys import ring_statement
from muniment.record.leaf import NO_EXPIRY
from muniment.record.ledger.merkle import Frontier
from muniment.record.officers import OfficerSet
from muniment.record.row import Row, SegmentRow
from muniment.record.sameness.reuse import MessageIds
from muniment.record.sealing import InPlace, Sealer, SealingLost
from muniment.record.segment import SegmentId, SegmentWriter

CLOCK_TOLERANCE_MS = 60_000
_EPOCH_DAY = date(1970, 1, 1)
_NOT_KNOWN = Same(b"", None, is_kept_as_long=False)


@dataclass
class Writer:
    """The open epoch of one class and the segment it is writing."""

    epoch: Epoch
    segment: SegmentWriter
    opening: Entry | None = None  # the epoch's first entry, until it is stored


@dataclass
class Parts:
    """What a record is made of while it is open."""

    home: Home
    policy: PolicyFile
    officers: OfficerSet
    origin: str
    keeper: Keeper
    catalogue: Catalogue
    frontier: Frontier
    disk: Disk = field(default_factory=Disk)
    sealer: Sealer = field(default_factory=InPlace)


class Record:
    """The open record of one home; make it with `muniment.record.opening.open_record`."""

    def __init__(self, parts: Parts, clock: Callable[[], int]) -> None:
        self.parts = parts
        self._clock = clock
        self._writers: dict[int, Writer] = {}
        self._broken: list[SegmentWriter] = []
        self._notices: list[Entry] = []
        self._waiting_rows: list[tuple[list[Row], list[tuple[bytes, int]], SegmentRow]] = []
        self._sequences = {stream: last for stream, (last, _) in parts.catalogue.streams().items()}
        self._last_ms = parts.catalogue.last_captured_ms()
        self._clock_is_behind = False
        self._tokens: dict[str, bytes] = {}
        self._day_secrets: dict[Retention, DaySecret] = {}
        self._message_ids = MessageIds(parts.keeper, parts.catalogue)
        self._next_epoch = 1 + max((row.segment.epoch for row in parts.catalogue.segments()), default=0)
        self._next_epoch = max(self._next_epoch, 1 + max((e for _, e in parts.keeper.covers), default=0))
        self.unpublished: list[bytes] = []
        self.stated_generation = ring_statement.stated_generation(parts.home, parts.catalogue)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self.parts.frontier.size

    def now_ms(self) -> int:
        """Return the record's time: the clock's, but never earlier than the newest entry's."""
        now = self._clock()
        is_behind = now < self._last_ms - CLOCK_TOLERANCE_MS
        if is_behind and not self._clock_is_behind:
            self.note("the clock was set back", clock_ms=now, newest_entry_ms=self._last_ms)
        self._clock_is_behind = is_behind
        return max(now, self._last_ms)

    def note(self, cause: str, **facts: object) -> None:
        """Record a gap entry with the next batch: something that should not have happened did."""
        plain = json.dumps({"cause": cause, **facts}, sort_keys=True).encode()
        self.owe(Entry(stream=Stream.HEALTH, kind=Kind.GAP, plain=plain))

    def owe(self, entry: Entry) -> None:
        """Record an open entry of the journal with the next batch that can be stored."""
        self._notices.append(entry)

    def append_notices(self, more: Sequence[Entry] = ()) -> None:
        """Record what the record has to say of itself, if there is anything."""
        if self._notices or more:
            self.append(more)

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Record entries and return their receipts in the same order; all are flushed then.

        Raises:
            Unavailable: not all of them are stored; the caller must not acknowledge any, and may try again: what
                was stored after all is then marked as the same bytes seen before.
        """
        self.mend()
        now = self.now_ms()
        notices = len(self._notices)
        generation = self.parts.keeper.generation
        turned = [ring_statement.entry_of(self.parts.keeper)] if generation > self.stated_generation else []
        batch = [*self._notices, *entries, *turned]
        receipts: dict[int, Receipt] = {}
        for retention in dict.fromkeys(entry.retention for entry in batch):
            numbered = [(at, entry) for at, entry in enumerate(batch) if entry.retention == retention]
            made = self._append_class(retention, [entry for _, entry in numbered], now)
            receipts.update(zip((at for at, _ in numbered), made, strict=True))
            if retention == Retention.JOURNAL:
                del self._notices[:notices]
                self.stated_generation = generation
        return [receipts[at] for at in range(notices, notices + len(entries))]

    def _append_class(self, retention: Retention, entries: list[Entry], now: int) -> list[Receipt]:
        # Twice as many positions as entries: those of a batch whose sealing is lost are burnt.
        writer = self._writer(retention, now, 2 * (most_entries(entries) + 1))
        batch = [writer.opening, *entries] if writer.opening else entries
        # An epoch's first entry stands at position 0, so its batch must not be lost.
        sealer = InPlace() if writer.opening else self.parts.sealer
        try:
            built = self._build(writer, batch, now, sealer)
        except SealingLost as error:
            self.note("sealing beside the recorder was lost; it was done again", error=str(error))
            built = self._build(writer, batch, now, InPlace())
        if not writer.segment.takes(built.length):
            writer.segment = self._next_segment(writer.segment)
            built.move_to(writer.segment.next_offset, writer.segment.segment.number)
        try:
            writer.segment.commit(built.pieces())
        except Unavailable as error:
            self._break(retention, str(error))
            raise
        self._accept(writer, built, now)
        receipts = built.receipts
        if writer.opening:
            writer.opening, receipts = None, receipts[1:]
        self._store_rows(built, writer)
        return receipts

    def _build(self, writer: Writer, entries: list[Entry], now: int, sealer: Sealer) -> Batch:
        """Seal a batch; the tree and the sequence numbers are only moved on by `_accept`."""
        parts, retention = self.parts, Retention(writer.epoch.retention)
        expiry = self._expiry_day(retention, now)
        known = self._known_contents(entries, retention, expiry, now)
        known = self._message_ids.named(entries, known, retention, now)
        frontier, sequences = parts.frontier.copy(), dict(self._sequences)
        batch = Batch(writer.segment.next_offset, writer.segment.segment.number, frontier, sequences)
        elsewhere = [at for at, same in known.items() if same.is_kept_as_long and entries[at].sent is None]
        secret = self._day_secret(retention, expiry, now)
        layout = lay_out(entries, elsewhere, secret, self.size, writer.epoch.number)
        batch.attachments = layout.stored
        salts = secrets.token_bytes(16 * len(layout.laid))
        digest = parts.policy.digest
        for number, (entry, at, sharing) in enumerate(layout.laid):
            same = _NOT_KNOWN if at is None else self._placed(known.get(at, _NOT_KNOWN), layout.places)
            salt = salts[16 * number : 16 * number + 16]
            batch.add(
                Placed(entry, writer.epoch, now, expiry, digest, salt, same, sharing),
                self._token_string(entry.addresses),
                packing.IMPORT_LEVEL if entry.capture == Capture.IMPORT else packing.WIRE_LEVEL,
            )
        batch.seal(sealer)
        return batch

    def _placed(self, same: Same, places: list[int]) -> Same:
        """Return what is known of an entry, told where its earlier copy stands in the batch if it stands there."""
        if same.duplicate_of is None or same.duplicate_of < self.size:
            return same
        return same._replace(duplicate_of=self.size + places[same.duplicate_of - self.size])

    def _day_secret(self, retention: Retention, expiry: int, now: int) -> DaySecret:
        """Return the secret of the attachments that may be shared now."""
        secret = self._day_secrets.get(retention)
        if secret is None or secret.is_over(expiry, now // 86_400_000):
            secret = self._day_secrets[retention] = DaySecret(expiry, now // 86_400_000)
        return secret

    def _accept(self, writer: Writer, built: Batch, now: int) -> None:
        self.parts.frontier = built.frontier
        self._sequences = built.sequences
        self._last_ms = now
        self.unpublished.extend(built.leaves)
        self._day_secrets[Retention(writer.epoch.retention)].note(built.attachments)

    def _store_rows(self, built: Batch, writer: Writer) -> None:
        """Add catalogue rows; when the catalogue has no room they wait, and the caller hears "try later"."""
        day = max((row.expiry_day for row in built.rows), default=NO_EXPIRY)
        segment = SegmentRow(writer.segment.segment, built.first_index, writer.segment.good_bytes, False, day)
        self._waiting_rows.append((built.rows, built.mentions, segment))
        self._flush_rows()

    def _flush_rows(self) -> None:
        while self._waiting_rows:
            self.parts.catalogue.add(*self._waiting_rows[0])
            rows, *_ = self._waiting_rows.pop(0)
            self._notices += self._message_ids.alarms(rows)

    def _writer(self, retention: Retention, now: int, records: int) -> Writer:
        writer = self._writers.get(retention)
        if writer is not None and not writer.epoch.is_spent(now, records):
            return writer
        if writer is not None:
            self._finish(retention)
        number, self._next_epoch = self._next_epoch, self._next_epoch + 1
        roots = Roots.draw()
        self.parts.keeper.add((retention, number), roots.cover)
        segment = SegmentWriter(
            self.parts.home, self.parts.disk, SegmentId(retention, number, 0), self.size, self.parts.origin
        )
        opening = self._opening_entry(retention, number, roots.officers)
        writer = Writer(Epoch(retention, number, now, roots), segment, opening)
        self._writers[retention] = writer
        return writer

    def _opening_entry(self, retention: Retention, number: int, officers_root: bytes) -> Entry:
        """Return the epoch's first entry: the officers' share, sealed to each of them and to the recovery key."""
        officers = self.parts.officers
        sealed = wraps.seal_share(officers_root, self.parts.origin, retention, number, officers.recipients)
        plain = {
            "format": "muniment-epoch/1",
            "class": retention.name.lower(),
            "epoch": number,
            "officers": officers.version,
            "wraps": [wraps.to_json(wrap) for wrap in sealed],
        }
        return Entry(
            stream=Stream.KEYS,
            kind=Kind.EPOCH,
            retention=retention,
            plain=json.dumps(plain, sort_keys=True).encode(),
        )

    def _next_segment(self, segment: SegmentWriter) -> SegmentWriter:
        self.parts.catalogue.close_segment(segment.segment)
        following = segment.segment._replace(number=segment.segment.number + 1)
        made = SegmentWriter(self.parts.home, self.parts.disk, following, self.size, self.parts.origin)
        segment.close()
        return made

    def _finish(self, retention: int) -> None:
        """End a class's epoch: its keys are dropped, its segment takes nothing more."""
        writer = self._writers.pop(retention)
        writer.segment.close()
        self.parts.catalogue.close_segment(writer.segment.segment)

    def _break(self, retention: int, cause: str) -> None:
        """Give up a segment after a failed write or flush; its epoch is not used again."""
        writer = self._writers.pop(retention)
        self._broken.append(writer.segment)
        self.note(
            "a write failed", segment=str(writer.segment.segment.path(self.parts.home).name), error=cause
        )

    def mend(self) -> None:
        """Quarantine what failed writes left behind, and store rows that had no room.

        Raises:
            Unavailable: there is no room yet.
        """
        while self._broken:
            self._broken[0].abandon()
            segment = self._broken.pop(0)
            self.parts.catalogue.close_segment(segment.segment)
        self._flush_rows()

    def end_spent_epochs(self) -> None:
        """End every epoch whose hour is over, also where nothing new arrives."""
        now = self.now_ms()
        for retention in [r for r, writer in self._writers.items() if writer.epoch.is_spent(now, 0)]:
            self._finish(retention)

    def end_epoch(self, retention: Retention) -> None:
        """End a class's epoch now, so that it can expire on its own; the next entry opens another."""
        if retention in self._writers:
            self._finish(retention)

    def close(self) -> None:
        """End every epoch; nothing is published here."""
        for retention in list(self._writers):
            self._finish(retention)
        self.parts.catalogue.close()

    def _expiry_day(self, retention: Retention, now: int) -> int:
        captured = datetime.fromtimestamp(now / 1000, UTC).date()
        day = self.parts.policy.retention[retention.name.lower()].expiry_day(captured)
        return NO_EXPIRY if day is None else (day - _EPOCH_DAY).days

    def _token_string(self, addresses: Sequence[str]) -> bytes:
        if len(self._tokens) > 100_000:
            self._tokens.clear()
        tokens, key = self._tokens, self.parts.keeper.token_key
        for address in addresses:
            if address not in tokens:
                tokens[address] = line.token(key, address)
        return b"".join(dict.fromkeys(tokens[address] for address in addresses))

    def _known_contents(
        self, entries: list[Entry], retention: Retention, expiry: int, now: int
    ) -> dict[int, Same]:
        """Return, by position, which earlier entry (of the record, or of this very batch) holds the same bytes."""
        holders = [
            at
            for at, e in enumerate(entries)
            if e.kind == Kind.RECORD and e.channel == Channel.SMTP and e.content and not e.blobs
        ]
        if not holders:
            return {}
        key = self.parts.keeper.duplicate_key(retention, now // QUARTER_MS)
        ids = {at: line.content_id(key, entries[at].content) for at in holders}
        seen = self.parts.catalogue.find_contents(list(ids.values()))
        known: dict[int, Same] = {}
        for at in holders:
            index, day = seen.get(ids[at], (None, NO_EXPIRY))
            known[at] = Same(ids[at], index, is_kept_as_long=index is not None and day == expiry)
            if not known[at].is_kept_as_long:
                seen[ids[at]] = (self.size + at, expiry)
        return known
