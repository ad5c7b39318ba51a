"""A selection is what a plain reading of docs/formats/permit.md gives, whatever is asked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput
from muniment.record import chain
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.entry import Capture, Channel, Direction, Entry, Kind, Retention, Stream
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.permit_selection import BYTES_ONLY, CONTENT, META, parse_selection
from muniment.record.retention.erasure import whole_messages
from muniment.record.row import Row
from muniment.record.selection import Query, Window, select
from tests.record.recording import DAY_MS, SECRET, START_MS, Clock, make_home, message, recording

PEOPLE = [f"person{number}@training.example" for number in range(4)]
LONG = 17 << 20


@dataclass(frozen=True, repr=False)
class Made:
    """A record of many kinds of entries, and what was put into it by ledger index."""

    home: Home
    catalogue: Catalogue
    keeper: Keeper
    entries: dict[int, Entry]
    forgotten: set[int]

    @property
    def rows(self) -> list[Row]:
        return self.catalogue.rows()


def letter(chance: random.Random, number: int) -> Entry:
    imported = chance.random() < 0.3
    dated = START_MS - chance.randrange(400) * DAY_MS if imported and chance.random() < 0.8 else 0
    return Entry(
        stream=Stream.MAIL_IMPORT if imported else chance.choice([Stream.MAIL_GATEWAY, Stream.MAIL_JOURNAL]),
        kind=Kind.OUTCOME if chance.random() < 0.1 else Kind.RECORD,
        channel=Channel.SMTP,
        retention=chance.choice([Retention.MAIL, Retention.REFUSED]),
        capture=Capture.IMPORT if imported else Capture.WIRE,
        direction=Direction.INBOUND,
        addresses=tuple(chance.sample(PEOPLE, chance.randrange(4))),
        content=message(number % 40),
        meta=b"\x80",
        shielded="union" if chance.random() < 0.2 else "",
        dated_ms=dated,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home, clock, chance = make_home(tmp_path_factory.mktemp("select")), Clock(), random.Random(7)
    entries: dict[int, Entry] = {}
    with recording(home, clock) as record:
        for day in range(12):
            batch = [letter(chance, 20 * day + at) for at in range(20)]
            entries |= {r.index: e for r, e in zip(record.append(batch), batch, strict=True)}
            clock.advance(days=1 if day % 4 else 9)
        long = msgspec.structs.replace(letter(chance, 1), content=bytes(LONG), kind=Kind.RECORD, shielded="")
        long = msgspec.structs.replace(long, addresses=(PEOPLE[0],))
        blobs = tuple(record.append([piece])[0].index for piece in chain.pieces(long))
        [receipt] = record.append([chain.head(long, blobs)])
        entries[receipt.index] = msgspec.structs.replace(long, blobs=blobs)
        relied = {row.about for row in record.record.parts.catalogue.rows("kind = 14")}
        unrelied = sorted(entries.keys() - relied)
        forgotten = set(whole_messages(record, chance.sample(unrelied, 15)))
        record.retention.erase(sorted(forgotten), authority="a court", clause="R-5.1-a")
    catalogue = Catalogue.open_readonly(home.database)
    yield Made(home, catalogue, Keeper.load(home, SECRET, Disk()), entries, forgotten)
    catalogue.close()


def fits(made: Made, query: Query, row: Row) -> bool:
    """The rule of permit.md but for the mark, in the words it stands there."""
    names = {Stream(row.stream).name.lower().replace("_", "-")}
    entry = made.entries.get(row.idx)
    if entry is None or row.kind not in (Kind.RECORD, Kind.OBSERVATION) or not names & set(query.streams):
        return False
    time = entry.dated_ms or row.captured_ms
    size = made.catalogue.size() if query.size is None else query.size
    holds = [
        window.address in entry.addresses
        and window.start_ms <= time
        and (window.end_ms is None or time < window.end_ms)
        for window in query.windows
    ]
    within = query.from_ms <= time < query.until_ms
    return within and row.idx < size and row.idx not in made.forgotten and any(holds)


def plainly(made: Made, query: Query) -> tuple[dict[int, int], int]:
    """Return {ledger index: sections} and the number of shielded entries, the slow way."""
    fitting = [row for row in made.rows if fits(made, query, row)]
    own = META | CONTENT if query.depth == "content" else META
    found = {row.idx: own for row in fitting if bool(row.shielded) == query.is_shielded}
    if query.depth == "content":
        for index in list(found):
            row = made.catalogue.row(index)
            held = [row.about] if row.kind == Kind.OBSERVATION else list(made.entries[index].blobs)
            for holder in held:
                found.setdefault(holder, CONTENT | BYTES_ONLY)
    return found, sum(bool(row.shielded) != query.is_shielded for row in fitting)


TIMES = st.integers(-410, 60).map(lambda day: START_MS + day * DAY_MS)
STREAMS = st.lists(st.sampled_from(["mail-gateway", "mail-journal", "mail-import"]), unique=True, min_size=1)
WINDOWS = st.lists(
    st.builds(Window, st.sampled_from(PEOPLE), st.just(0) | TIMES, st.none() | TIMES), min_size=1, max_size=5
)
QUERIES = st.builds(
    Query,
    windows=WINDOWS.map(tuple),
    from_ms=st.just(0) | TIMES,
    until_ms=st.just(2**42) | TIMES,
    streams=STREAMS.map(tuple),
    size=st.none() | st.integers(0, 320),
    depth=st.sampled_from(["envelope", "content"]),
    is_shielded=st.booleans(),
)


@given(query=QUERIES)
def test_a_selection_is_what_the_rule_says_entry_by_entry(made: Made, query: Query):
    expected, shielded = plainly(made, query)
    found = select(made.home, made.catalogue, made.keeper, query)
    items = parse_selection(found.selection)
    rows = {row.idx: row for row in made.rows}
    assert {item.idx: item.sections for item in items} == expected
    assert all(item[1:4] == (rows[item.idx].retention, *rows[item.idx][4:6]) for item in items)
    opened = [item for item in items if not item.is_bytes_only]
    assert (found.entries, found.shielded) == (len(opened), shielded)
    assert sum(count for _, count in found.by_week) == found.entries
    addresses = {window.address for window in query.windows}
    assert {address for address, _ in found.by_address} == addresses


def everything(**changes: object) -> Query:
    members: dict[str, object] = {
        "windows": tuple(Window(address) for address in PEOPLE),
        "from_ms": 0,
        "until_ms": 2**42,
        "streams": ("mail-gateway", "mail-journal", "mail-import"),
    }
    return Query(**(members | changes))  # type: ignore[arg-type]


def test_the_counts_by_address_and_week_are_those_of_the_entries(made: Made):
    found = select(made.home, made.catalogue, made.keeper, everything())
    opened = [item.idx for item in parse_selection(found.selection) if not item.is_bytes_only]
    mentions = Counter(address for index in opened for address in made.entries[index].addresses)
    assert dict(found.by_address) == {address: mentions[address] for address in PEOPLE}
    starts = [start for start, _ in found.by_week]
    assert starts == sorted(set(starts)) and all((start // DAY_MS) % 7 == 4 for start in starts)


def test_an_imported_letter_is_found_by_its_own_date(made: Made):
    old = [index for index, entry in made.entries.items() if 0 < entry.dated_ms < START_MS - 100 * DAY_MS]
    found = select(made.home, made.catalogue, made.keeper, everything(until_ms=START_MS - 100 * DAY_MS))
    opened = {item.idx for item in parse_selection(found.selection) if not item.is_bytes_only}
    assert opened and opened <= set(old)


def test_the_case_of_an_address_does_not_matter(made: Made):
    lower = select(made.home, made.catalogue, made.keeper, everything(windows=(Window(PEOPLE[0]),)))
    upper = select(made.home, made.catalogue, made.keeper, everything(windows=(Window(PEOPLE[0].upper()),)))
    assert lower.selection == upper.selection != b""


def test_a_stream_that_is_none_is_bad_input_and_says_which_there_are(made: Made):
    with pytest.raises(BadInput, match="mail-gateway"):
        select(made.home, made.catalogue, made.keeper, everything(streams=("telepathy",)))


def test_the_catalogue_opened_for_reading_takes_no_writing(made: Made, tmp_path: Path):
    with pytest.raises(Exception, match="readonly"):
        made.catalogue.forget([1], [(2, 1)])
