"""Proving the record again from its bytes: every segment, leaf, tile, catalogue row and checkpoint.

Each problem is a `Finding` that names the object, what was found and what to do next. Nothing is opened: the
check needs the keeper's ring only to compare the catalogue with its lines, and no officer at all.
Source: R-5.1-a, R-2.1-b; docs/trust.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from muniment.policy.errors import MunimentError, Tampered
from muniment.record import leaf as leaves
from muniment.record.catalogue import Catalogue
from muniment.record.frame import HEADER_BYTES, HUSK_BYTES, Frame, Trailer, walk
from muniment.record.home import Home
from muniment.record.ledger.merkle import Frontier
from muniment.record.segment import SegmentId, check_header, list_segments, mapped


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be; `kind` is one word, `thing` names the file or entry."""

    kind: str
    thing: str
    found: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.thing}: {self.found}. {self.next_step}"


@dataclass
class Report:
    """The result of a check."""

    leaves: int = 0
    segments: int = 0
    stored_bytes: int = 0
    unreferenced: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.findings

    def find(self, kind: str, thing: object, found: str, next_step: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(kind, str(thing), found, next_step))


@dataclass
class Scanned:
    """One segment as read: its leaves by ledger index, and its flushes."""

    segment: SegmentId
    is_husk: bool
    frames: dict[int, bytes] = field(default_factory=dict)
    trailers: list[Trailer] = field(default_factory=list)
    stored_bytes: int = 0


REBUILD = "Run `muniment rebuild`, which makes it again from the segments"
RESTORE = "Restore it from a backup, then run `muniment verify` again"


def scan_segment(
    home: Home,
    segment: SegmentId,
    origin: str,
    report: Report,
    *,
    is_husk: bool = False,
    good: int | None = None,
) -> Scanned:
    """Read one segment, check what it can say of itself, and return its leaves.

    `good` is the length the catalogue acknowledges; what lies behind it and ends no flush is a torn tail.
    """
    path = segment.husk_path(home) if is_husk else segment.path(home)
    scanned = Scanned(segment, is_husk)
    with mapped(path) as data:
        scanned.stored_bytes = len(data)
        if len(data) < HEADER_BYTES:
            _judge_tail(path, 0, len(data), good, report)
            return scanned
        end = _scan_frames(path, data, scanned, report)
        try:
            header = check_header(path, data, segment, origin)
            if header.first_index != min(scanned.frames, default=header.first_index):
                raise Tampered(
                    f"its header says it begins with entry {header.first_index}, another stands there"
                )
        except Tampered as error:
            report.find("segment", path, str(error), RESTORE)
        if end != len(data):
            _judge_tail(path, end, len(data), good, report)
    return scanned


def _judge_tail(path: Path, end: int, length: int, good: int | None, report: Report) -> None:
    tail = f"{length - end:,} bytes from byte {end:,} on are not frames that a flush ended"
    if good is not None and end >= good:
        report.notes.append(
            f"{path}: {tail}: a torn tail, never acknowledged; the next start moves it to quarantine"
        )
    else:
        report.find("segment", path, tail, RESTORE)


def _scan_frames(path: Path, data: memoryview, scanned: Scanned, report: Report) -> int:
    """Check every frame of a segment against its own leaf; return the offset behind the last flush or husk."""
    good = HEADER_BYTES
    pending: list[Frame] = []
    for item in walk(data):
        if isinstance(item, Trailer):
            _check_flush(path, pending, item, report)
            scanned.frames.update((frame.ledger_index, frame.leaf) for frame in pending)
            scanned.trailers.append(item)
            good, pending = item.end, []
        elif item.is_husk:
            scanned.frames[item.ledger_index] = item.leaf
            good = item.offset + HUSK_BYTES
        else:
            _check_frame(path, item, scanned.segment, report)
            pending.append(item)
    return good


def _check_frame(path: Path, frame: Frame, segment: SegmentId, report: Report) -> None:
    leaf, body = frame.leaf, frame.body
    if sha256(body).digest() != leaf[48:80] or int.from_bytes(leaf[40:48], "big") != len(body):
        report.find(
            "frame", f"{path} entry {frame.ledger_index}", "its bytes are not those its leaf names", RESTORE
        )
    if leaf[6:12] != segment.retention.to_bytes(2, "big") + segment.epoch.to_bytes(4, "big"):
        report.find(
            "leaf", f"{path} entry {frame.ledger_index}", "its leaf names another class or epoch", RESTORE
        )
    if isinstance(body, memoryview):
        body.release()


def _check_flush(path: Path, frames: list[Frame], trailer: Trailer, report: Report) -> None:
    found = [frame.ledger_index for frame in frames]
    expected = list(range(trailer.first_index, trailer.first_index + trailer.frames))
    if found != expected or trailer.size != trailer.first_index + trailer.frames:
        report.find(
            "segment",
            f"{path} before byte {trailer.end}",
            f"the flush says it holds entries {trailer.first_index} to {trailer.size - 1}, other numbers stand there",
            RESTORE,
        )


def check_order(scans: Iterable[Scanned], report: Report) -> list[bytes]:
    """Put all leaves in ledger order; name what is missing or stands twice; return them up to the first hole."""
    merged: dict[int, bytes] = {}
    for scanned in scans:
        for index, leaf in scanned.frames.items():
            if index in merged:
                report.find("ledger", f"entry {index}", "stands in two segments", RESTORE)
            merged[index] = leaf
    known = sorted(merged)
    holes = [(a + 1, b - 1) for a, b in zip([-1, *known], known, strict=False) if b != a + 1]
    if holes:
        missing = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in holes)
        report.find("ledger", f"entries {missing}", "are in no segment", RESTORE)
    return [merged[index] for index in known[: holes[0][0] if holes else None]]


def check_leaves(ordered: list[bytes], report: Report) -> list[bytes]:
    """Check sequence numbers and times along the ledger; return the leaf hashes."""
    sequences: dict[int, int] = {}
    latest, hashes = 0, []
    for index, leaf in enumerate(ordered):
        hashes.append(sha256(b"\0" + leaf).digest())
        stream, sequence = int.from_bytes(leaf[28:30], "big"), int.from_bytes(leaf[32:40], "big")
        captured = int.from_bytes(leaf[16:24], "big")
        if sequence != sequences.get(stream, 0) + 1:
            report.find(
                "sequence",
                f"entry {index}",
                f"stream {stream} goes from number {sequences.get(stream, 0)} to {sequence}",
                "An entry was left out or altered. " + RESTORE,
            )
        if captured < latest:
            report.find(
                "time", f"entry {index}", "is older than the entry before it", "The clock was set back"
            )
        sequences[stream], latest = sequence, max(latest, captured)
    return hashes


def check_roots(scans: Iterable[Scanned], hashes: list[bytes], report: Report, home: Home) -> Frontier:
    """Compare the tree's root with every trailer; return the whole tree's frontier."""
    trailers = sorted(
        ((t, s.segment) for s in scans if not s.is_husk for t in s.trailers), key=lambda pair: pair[0].size
    )
    frontier = Frontier()
    for trailer, segment in trailers:
        if trailer.size > len(hashes):
            break
        frontier.extend(hashes[frontier.size : trailer.size])
        if frontier.root() != trailer.root:
            report.find(
                "segment",
                f"{segment.path(home)} before byte {trailer.end}",
                f"the tree of {trailer.size} entries has another root than was written",
                RESTORE,
            )
    frontier.extend(hashes[frontier.size :])
    return frontier


def check_magic(ordered: list[bytes], report: Report) -> None:
    """Check that every leaf has the form of a leaf."""
    for index, leaf in enumerate(ordered):
        if leaf[:4] != leaves.MAGIC:
            report.find("leaf", f"entry {index}", "is not a leaf of version 1", RESTORE)


Check = Callable[[Home, list[bytes], list[bytes], Report], None]


def verify(
    home: Home, origin: str, checks: Iterable[Check] = (), progress: Callable[[int], None] | None = None
) -> Report:
    """Prove the record of a home again; `checks` compare ledger, catalogue and anchors with what was read."""
    report, started = Report(), time.perf_counter()
    scans = []
    try:
        found = [(s, False) for s in list_segments(home)]
        found += [(s, True) for s in list_segments(home, ".husk") if not s.path(home).exists()]
    except MunimentError as error:
        report.find("segment", home.segments, str(error), RESTORE)
        found = []
    known = _acknowledged(home)
    for segment, is_husk in sorted(found):
        good = known.get(segment, 0 if known else None)
        scanned = scan_segment(home, segment, origin, report, is_husk=is_husk, good=good)
        scans.append(scanned)
        report.stored_bytes += scanned.stored_bytes
        if progress:
            progress(len(scanned.frames))
    ordered = check_order(scans, report)
    check_magic(ordered, report)
    hashes = check_leaves(ordered, report)
    check_roots(scans, hashes, report, home)
    report.leaves, report.segments = len(ordered), len(scans)
    for check in checks:
        check(home, ordered, hashes, report)
    report.seconds = time.perf_counter() - started
    return report


def _acknowledged(home: Home) -> dict[SegmentId, int]:
    """Return how far each segment was acknowledged, as far as the catalogue can be read."""
    try:
        catalogue = Catalogue(home.database)
    except MunimentError:
        return {}
    try:
        return {row.segment: row.size for row in catalogue.segments()}
    except MunimentError:
        return {}
    finally:
        catalogue.close()
