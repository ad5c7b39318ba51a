"""What the record says of its keys, in its order: officer sets, turns of the ring, drills. Read without any key.

Source: docs/formats/shares.md, "In the record"; docs/formats/ring.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from muniment.policy.errors import Missing
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Retention, Stream
from muniment.record.home import Home
from muniment.record.officers import FORMAT as OFFICERS_FORMAT
from muniment.record.officers import OfficerSet
from muniment.record.open_entries import OpenEntry, read_plain

_BEHIND_OPENINGS = "stream = ? AND retention = ? AND position > 0"


def key_events(home: Home, catalogue: Catalogue) -> Iterator[OpenEntry]:
    """Yield the open entries about keys, but not the first frame of each epoch, in the order of the record.

    Raises:
        Missing, Tampered: an entry cannot be read.
    """
    for row in catalogue.rows(_BEHIND_OPENINGS, (Stream.KEYS, Retention.JOURNAL)):
        yield OpenEntry(row.idx, row.sequence, row.captured_ms, row.kind, read_plain(home, row))


def officer_sets(events: list[OpenEntry]) -> list[tuple[int, OfficerSet]]:
    """Return (time stated in ms, set) of every officer set, the oldest first."""
    marker = f'"{OFFICERS_FORMAT}"'.encode()
    return [(each.captured_ms, OfficerSet.from_json(each.plain)) for each in events if marker in each.plain]


def current_officers(home: Home) -> OfficerSet:
    """Return the officer set in force.

    Raises:
        Missing: the record states none.
    """
    with closing(Catalogue.open_readonly(home.database)) as catalogue:
        sets = officer_sets(list(key_events(home, catalogue)))
    if not sets:
        raise Missing("the record states no officers; run `muniment verify`")
    return sets[-1][1]
