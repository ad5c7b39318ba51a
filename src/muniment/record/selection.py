"""Which entries a permit would open: a question to the catalogue, answered from facts that are not sealed.

1. Every entry that mentions one of the windows' addresses in its time, in the streams asked for, is looked at once.
2. It counts as shielded, or is selected, as docs/formats/permit.md says; one whose key was destroyed does neither.
3. For content, the entries that hold the bytes of what was selected go in as bytes only.

It runs on two million entries in constant time for each. Source: R-5.2-f; docs/formats/permit.md, "The selection".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import repeat
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from muniment.policy.errors import BadInput
from muniment.record import line
from muniment.record.catalogue import Catalogue
from muniment.record.chain import WHOLE_LIMIT_BYTES
from muniment.record.entry import Kind, Stream
from muniment.record.home import Home
from muniment.record.inquiry.held import HeldKeys
from muniment.record.keeper import Keeper
from muniment.record.permit_selection import (
    BYTES_ONLY,
    CONTENT,
    ITEM_BYTES,
    MAX_ENTRIES,
    META,
    Item,
    pack_item,
)
from muniment.record.reading import open_line, read_frame
from muniment.record.row import Mention

WEEK_MS = 7 * 86_400_000
_MONDAY_MS = 4 * 86_400_000  # 5 January 1970
LATEST_MS = 253_402_300_800_000

Milliseconds = Annotated[int, Meta(ge=0, le=2**62)]


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address from `start_ms` until `end_ms` (exclusive; None: still)."""

    address: Annotated[str, Meta(max_length=320)]
    start_ms: Milliseconds = 0
    end_ms: Milliseconds | None = None


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked: whose mail, when, of which streams, how deep; `size`: only entries below this index."""

    windows: Annotated[tuple[Window, ...], Meta(max_length=1000)]
    from_ms: Milliseconds
    until_ms: Milliseconds
    streams: Annotated[tuple[str, ...], Meta(max_length=50)]
    size: Annotated[int, Meta(ge=0, le=2**62)] | None = None
    depth: Literal["envelope", "content"] = "content"
    is_shielded: bool = False


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: the selection's bytes, how many entries it opens (bytes-only ones do not count), and counts.

    `shielded` are those that fit but for their mark. `by_week` gives (Monday 0:00 UTC in ms, entries), rising;
    `by_address` (address as asked, entries) in the order asked; both count what is opened. The recorder adds size and
    root of the ledger the answer was given on.
    """

    selection: bytes
    entries: int
    shielded: int
    by_week: tuple[tuple[int, int], ...]
    by_address: tuple[tuple[str, int], ...]
    size: int = 0
    root: bytes = b""


def stream_numbers(names: Sequence[str]) -> list[int]:
    """Return the numbers of streams named as people write them, `mail-gateway`.

    Raises:
        BadInput: the record has no such stream.
    """
    known = {stream.word: int(stream) for stream in Stream}
    for name in names:
        if name not in known:
            raise BadInput(f"the record has no stream {name[:40]!r}; expected {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def select(
    home: Home, catalogue: Catalogue, keeper: Keeper, query: Query, referrers: dict[int, int] | None = None
) -> Selected:
    """Return which entries a permit over `query` would open, and the counts an officer sees.

    `referrers` is filled with {entry that holds bytes only: an entry whose bytes they are}.
    Raises:
        BadInput: a stream is unknown, or more than two million entries fit.
    """
    addresses = _addresses(query)
    is_held, tally = HeldKeys(keeper), _Tally(query, len(addresses))
    holders = _Holders(home, catalogue, keeper, is_held)
    for found, mentioned in each_once(mentions(catalogue, keeper, query)):
        if is_held(found.retention, found.epoch, found.position) and tally.takes(found, mentioned):
            holders.note(found)
    own = bytes(tally.selection)
    if referrers is not None:
        referrers.update(holders.referrers)
    return Selected(
        selection=own if query.depth == "envelope" else _with(own, holders.items(own)),
        entries=tally.entries,
        shielded=tally.shielded,
        by_week=tuple((week * WEEK_MS + _MONDAY_MS, count) for week, count in sorted(tally.weeks.items())),
        by_address=tuple(zip(addresses, tally.by_address, strict=True)),
    )


class _Tally:
    """Counts what fits and collects the selection of what is opened."""

    def __init__(self, query: Query, addresses: int) -> None:
        self.selection = bytearray()
        self.entries = self.shielded = 0
        self.weeks: Counter[int] = Counter()
        self.by_address = [0] * addresses
        self._is_shielded = int(query.is_shielded)
        self._sections = META | CONTENT if query.depth == "content" else META

    def takes(self, found: Mention, mentioned: set[int]) -> bool:
        """Count one entry and tell whether it is selected.

        Raises:
            BadInput: there are too many.
        """
        idx, retention, epoch, position, _, shielded, _, _, time_ms = found
        if shielded != self._is_shielded:
            self.shielded += 1
            return False
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            raise BadInput(f"more than {MAX_ENTRIES:,} entries fit; ask for a shorter time or fewer people")
        self.selection += pack_item(idx, retention, epoch, position, self._sections)
        self.weeks[(time_ms - _MONDAY_MS) // WEEK_MS] += 1
        for number in mentioned:
            self.by_address[number] += 1
        return True


def mentions(catalogue: Catalogue, keeper: Keeper, query: Query) -> Iterator[tuple[Mention, int]]:
    """Yield (entry, number of the address among those asked for) in ledger order, as often as windows fit it."""
    streams, size = stream_numbers(query.streams), catalogue.size() if query.size is None else query.size
    numbers = {address: number for number, address in enumerate(_addresses(query))}
    runs = []
    for window in query.windows:
        from_ms = max(query.from_ms, window.start_ms)
        until_ms = min(query.until_ms, LATEST_MS if window.end_ms is None else window.end_ms)
        token = line.token(keeper.token_key, window.address)
        found = catalogue.mentioning(token, from_ms, until_ms, streams, size)
        runs.append(zip(found, repeat(numbers[window.address]), strict=False))
    return merge(*runs, key=lambda pair: pair[0][0]) if len(runs) > 1 else iter(runs[0] if runs else ())


def _addresses(query: Query) -> list[str]:
    return list(dict.fromkeys(window.address for window in query.windows))


def each_once(pairs: Iterator[tuple[Mention, int]]) -> Iterator[tuple[Mention, set[int]]]:
    """Yield each entry once with the numbers of the addresses for which it was found."""
    last: Mention | None = None
    numbers: set[int] = set()
    for mention, number in pairs:
        if last is not None and mention.idx != last.idx:
            yield last, numbers
            numbers = set()
        last = mention
        numbers.add(number)
    if last is not None:
        yield last, numbers


class _Holders:
    """Collects the entries that hold the bytes of selected ones: earlier copies and pieces of long messages."""

    def __init__(self, home: Home, catalogue: Catalogue, keeper: Keeper, is_held: HeldKeys) -> None:
        self._home, self._catalogue, self._keeper, self._is_held = home, catalogue, keeper, is_held
        self._wanted: set[int] = set()
        self.referrers: dict[int, int] = {}

    def note(self, found: Mention) -> None:
        """Take down where the bytes of an entry are, if not in itself."""
        if found.kind == Kind.OBSERVATION and found.about is not None:
            self._want(found, (found.about,))
        elif found.kind == Kind.RECORD and found.size > WHOLE_LIMIT_BYTES:
            frame = read_frame(self._home, self._catalogue.row(found.idx))
            self._want(found, open_line(frame.leaf, frame.body, self._keeper).blobs)

    def _want(self, found: Mention, holders: Iterable[int]) -> None:
        for holder in holders:
            self._wanted.add(holder)
            self.referrers[holder] = found.idx

    def items(self, selection: bytes) -> list[Item]:
        """Return the holders that are not selected themselves, in ledger order."""
        selected = {
            int.from_bytes(selection[at : at + 8], "big") for at in range(0, len(selection), ITEM_BYTES)
        }
        known: dict[int, Item] = {}
        while wanted := self._wanted - selected - known.keys():
            self._wanted = set()
            for found in self._catalogue.mentions_at(list(wanted)):
                if self._is_held(found.retention, found.epoch, found.position):
                    known[found.idx] = Item(*found[:4], CONTENT | BYTES_ONLY)
                    self.note(found)
            selected |= wanted
        return sorted(known.values())


def _with(selection: bytes, holders: list[Item]) -> bytes:
    """Return the selection with the holders in their places."""
    if not holders:
        return selection
    own = (selection[at : at + ITEM_BYTES] for at in range(0, len(selection), ITEM_BYTES))
    return b"".join(merge(own, (pack_item(*item) for item in holders)))
