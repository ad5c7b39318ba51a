"""The import of mail: bytes first, parser second; stopped at any moment and gone on with; everything counted.

1. Each file is read and cut into messages, exactly as stored.
2. Batches go to the recorder; what it confirmed is noted in the journal.
3. Only then is a message looked at for defects: no parser can keep a message out of the record.

Source: R-5.1-a, R-2.1-a; docs/formats/import.md.
"""

from __future__ import annotations

import mmap
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from muniment.observe import maildir, mbox, sources
from muniment.observe.dated import dated_ms
from muniment.observe.defects import defects_of
from muniment.observe.headers import direction_of, facts_of
from muniment.observe.journal import Journal, key_of
from muniment.observe.sources import Shape, Skipped, Source
from muniment.policy.shield import Shielding
from muniment.record.entry import Capture, Channel, Entry, Receipt, Retention, Stream
from muniment.record.sameness.text import text_of

BATCH_MESSAGES = 64
BATCH_BYTES = 8 << 20
# A larger file is mapped, not read whole: an mbox can be larger than the memory.
MAPPED_BYTES = 64 << 20


class Appender(Protocol):
    """What an import needs of the recorder."""

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Record entries and return when they are flushed."""


class Message(NamedTuple):
    """One message to record: its bytes, and where they came from."""

    key: str
    shape: Shape
    content: bytes
    origin: dict[str, object]


@dataclass
class Report:
    """What an import found and did, earlier runs of the same import included."""

    found: int = 0
    recorded: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    defects: Counter[str] = field(default_factory=Counter)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def failures(self) -> list[Skipped]:
        """What should have been imported and could not be read."""
        return [each for each in self.skipped if each.is_failure]


def journal_path(home: Path, source: Path, shape: Shape, retention: Retention) -> Path:
    """Return the journal of the import of `source` into `home`."""
    name = b"%b\0%b\0%d" % (os.fsencode(source.resolve()), shape.value.encode(), retention)
    return home / "import" / f"{sha256(name).hexdigest()[:16]}.jsonl"


class MailImport:
    """One import; `run` yields after each batch how many messages it took further."""

    def __init__(
        self,
        root: Path,
        shape: Shape,
        retention: Retention,
        own_domains: Collection[str],
        shielding: Shielding | None = None,
    ) -> None:
        self._root, self._shape, self._retention = root, shape, retention
        self._own_domains = own_domains
        self._shielding = shielding or Shielding()
        self.report = Report()

    def run(self, recorder: Appender, journal: Journal) -> Iterator[int]:
        """Record every message that the journal does not know yet; afterwards `report` is complete.

        Raises: Unavailable when the recorder cannot store; run again to go on.
        """
        for batch in _batches(self._messages(journal)):
            receipts = recorder.append([self._entry(message) for message in batch])
            journal.note_done([message.key for message in batch], _counts(batch, receipts))
            self.report.recorded += len(receipts)
            found = Counter(defect for message in batch for defect in defects_of(message.content))
            journal.note_checked(len(batch), found)
            yield len(batch)
        self.report.counts, self.report.defects = journal.counts, journal.defects
        self.report.checked = journal.checked

    def _messages(self, journal: Journal) -> Iterator[Message]:
        for found in sources.find(self._root, self._shape):
            if isinstance(found, Skipped):
                self.report.skipped.append(found)
                continue
            try:
                for message in read(found, self._root):
                    self.report.found += 1
                    if message.key in journal.done:
                        self.report.recorded += 1
                    else:
                        yield message
            except OSError as error:
                self.report.skipped.append(Skipped(found.path, error.strerror or str(error), is_failure=True))

    def _entry(self, message: Message) -> Entry:
        facts, text = facts_of(message.content), text_of(message.content)
        return Entry(
            stream=Stream.MAIL_IMPORT,
            channel=Channel.SMTP,
            retention=self._retention,
            capture=Capture.IMPORT,
            direction=direction_of(facts, self._own_domains),
            addresses=facts.addresses,
            content=message.content,
            meta=msgspec.msgpack.encode({"origin": message.origin, "header": facts.values}),
            shielded=facts.shielded(self._shielding, _folder(message.origin)),
            dated_ms=dated_ms(facts.values.get("date", b""), datetime.now(UTC)),
            message_id=text.message_id,
            texts=(text.digest,),
        )


def _folder(origin: dict[str, object]) -> str:
    """Return the path a message lay at, without the name of the file itself unless that is a folder of mail."""
    path = origin.get("path")
    text = path.decode("utf-8", "replace") if isinstance(path, bytes) else ""
    return text if origin.get("taken_as") == Shape.MBOX.value else text.rpartition("/")[0]


def read(source: Source, root: Path) -> Iterator[Message]:
    """Yield the messages of one file, each byte as stored.

    Raises: OSError when the file cannot be read.
    """
    name = os.fsencode(source.path.relative_to(root) if source.path != root else source.path.name)
    with source.path.open("rb") as file:
        state = os.fstat(file.fileno())
        key = (name, state.st_size, state.st_mtime_ns)
        data = (
            file.read()
            if state.st_size <= MAPPED_BYTES
            else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        )
        shape = settle(source, data)
        origin: dict[str, object] = {"taken_as": shape.value, "path": name, "modified_ns": state.st_mtime_ns}
        if shape is Shape.MBOX:
            for at in mbox.messages(data):
                place = {
                    "offset": at.start,
                    "postmark": data[at.start : at.body],
                    "separator": data[at.end : at.after],
                }
                yield Message(key_of(*key, at.start), shape, data[at.body : at.end], origin | place)
            return
        if shape is Shape.MAILDIR:
            origin |= {"folder": source.path.parent.name, "flags": maildir.flags(source.path.name)}
        yield Message(key_of(*key, 0), shape, data[:], origin)


def settle(source: Source, data: mbox.Bytes) -> Shape:
    """Return what a file is taken as, now that its bytes are known."""
    if source.shape is not Shape.AUTO:
        return source.shape
    suffix = source.path.suffix.lower()
    named = suffix in (".mbox", ".mbx") or source.path.name.lower() == "mbox"
    if suffix == ".eml" or not mbox.starts_as_mbox(data):
        return Shape.EML
    return Shape.MBOX if named or mbox.holds_several(data) else Shape.EML


def _batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for message in messages:
        batch.append(message)
        size += len(message.content)
        if len(batch) == BATCH_MESSAGES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _counts(batch: Sequence[Message], receipts: Sequence[Receipt]) -> dict[str, int]:
    """Return what one batch adds to the counts."""
    counts = Counter(f"as {message.shape.value}" for message in batch)
    counts["messages"] = len(receipts)
    counts["bytes"] = sum(len(message.content) for message in batch)
    counts["duplicates"] = sum(receipt.duplicate_of is not None for receipt in receipts)
    return dict(counts)
