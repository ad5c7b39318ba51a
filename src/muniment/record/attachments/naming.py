"""Which attachments messages name, by their own lines: a hold over a message keeps these entries too.

The keeper's share is enough, no officer's. Source: docs/formats/segment.md, "Attachments".
"""

from __future__ import annotations

from collections.abc import Iterable

from muniment.policy.errors import Missing
from muniment.record.attachments.reference import LEAST_BYTES
from muniment.record.catalogue import Catalogue
from muniment.record.chain import is_chain
from muniment.record.entry import Kind, Stream
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.reading import open_line, read_frame
from muniment.record.row import Row


def named_by(home: Home, catalogue: Catalogue, keeper: Keeper, rows: Iterable[Row]) -> set[int]:
    """Return the ledger indexes of the attachments that some entries name; a message that is forgotten names none.

    An observation names none itself: the entry that it is `about` does.
    """
    days = {
        (row.retention, row.expiry_day) for row in catalogue.rows("stream = ?", (Stream.MAIL_ATTACHMENT,))
    }
    found: set[int] = set()
    for row in rows:
        if (row.retention, row.expiry_day) in days and _may_name_some(row):
            found.update(_blobs(home, keeper, row))
    return found


def _may_name_some(row: Row) -> bool:
    return row.kind == Kind.RECORD and max(row.size, row.sent_size) > LEAST_BYTES and not is_chain(row.size)


def _blobs(home: Home, keeper: Keeper, row: Row) -> tuple[int, ...]:
    try:
        frame = read_frame(home, row)
        return open_line(frame.leaf, frame.body, keeper).blobs
    except Missing:
        return ()
