"""The snapshot: what goes in comes out, what is not what its name promises is named, and swapping it never tears."""

from __future__ import annotations

import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.people.snapshot import (
    CURRENT,
    SUFFIX,
    Head,
    Holding,
    Snapshot,
    current_digest,
    encode,
    head_of,
    load,
    load_current,
    make_current,
)
from muniment.policy.errors import Missing, Tampered, Unavailable
from muniment.policy.policyfile import parse
from muniment.record.disk import Disk
from tests.organisation import PARTICULARS, policy_bytes

from .files import FRIDAY, MONDAY, TUESDAY

ONE, TWO = UUID(int=1), UUID(int=2)
TOMAS, HEADS = "tomas@training.example", "head@training.example"
HOLDINGS = (
    Holding(TOMAS, MONDAY, None, ONE),
    Holding(HEADS, MONDAY, TUESDAY, ONE),
    Holding(HEADS, TUESDAY, FRIDAY, TWO),
)


@pytest.fixture(scope="module")
def head() -> Head:
    return head_of(parse(policy_bytes()))


def stored(folder: Path, data: bytes) -> Path:
    """Put bytes where their digest says they belong."""
    path = folder / f"{sha256(data).hexdigest()}{SUFFIX}"
    path.write_bytes(data)
    return path


def opened(folder: Path, data: bytes) -> Snapshot:
    return load(stored(folder, data))


def test_what_the_policy_file_says_comes_out_again(head: Head, tmp_path: Path) -> None:
    snapshot = opened(tmp_path, encode(head, HOLDINGS))
    assert snapshot.head == head
    assert snapshot.footer == PARTICULARS
    assert snapshot.domains == {"training.example"}
    assert snapshot.gateway.hostname == "mail.training.example"
    assert (head.policy, head.example) == (parse(policy_bytes()).digest, True)
    assert len(snapshot) == 3


@pytest.mark.parametrize(
    ("address", "at", "person"),
    [
        (TOMAS, MONDAY, ONE),
        (TOMAS.upper(), MONDAY + timedelta(days=40_000), ONE),
        (TOMAS, MONDAY - timedelta(microseconds=1), None),
        (HEADS, TUESDAY - timedelta(microseconds=1), ONE),
        (HEADS, TUESDAY, TWO),
        (HEADS, FRIDAY, None),
        (HEADS, datetime(1960, 1, 1, tzinfo=UTC), None),
        ("nobody@training.example", MONDAY, None),
        ("no address", MONDAY, None),
        ("", MONDAY, None),
    ],
)
def test_who_had_an_address_at_a_moment(
    head: Head, tmp_path: Path, address: str, at: datetime, person: UUID | None
) -> None:
    assert opened(tmp_path, encode(head, HOLDINGS)).person_of(address, at) == (
        str(person) if person else None
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(1, 20), st.uuids()), max_size=12
    ).map(lambda rows: sorted(rows, key=lambda row: row[:2])),
    st.integers(0, 3),
    st.integers(-1, 80),
)
def test_a_look_up_finds_what_a_search_through_all_rows_finds(
    tmp_path_factory: pytest.TempPathFactory,
    head: Head,
    rows: list[tuple[int, int, int, UUID]],
    name: int,
    hour: int,
) -> None:
    holdings: list[Holding] = []
    free_from: dict[int, int] = {}
    for local, start, length, person in rows:
        start = max(start, free_from.get(local, 0))
        free_from[local] = start + length
        started = MONDAY + timedelta(hours=start)
        holdings.append(Holding(f"{local}@x.example", started, started + timedelta(hours=length), person))
    address, at = f"{name}@x.example", MONDAY + timedelta(hours=hour)
    expected = [
        str(each.person)
        for each in holdings
        if each.address == address and each.start <= at < (each.end or at)
    ]
    snapshot = opened(tmp_path_factory.mktemp("snapshot"), encode(head, reversed(holdings)))
    assert snapshot.person_of(address, at) == (expected[0] if expected else None)


def test_the_bytes_are_laid_out_as_the_format_says(head: Head) -> None:
    """Read the bytes by docs/formats/snapshot.md alone."""
    data = encode(head, HOLDINGS)
    version, head_bytes, rows = struct.unpack(">IIQ", data[8:24])
    assert (data[:8], version, rows) == (b"MUNISNAP", 1, 3)
    assert msgspec.msgpack.decode(data[24 : 24 + head_bytes]) == {
        "policy": head.policy,
        "policy_version": "2026-11",
        "example": True,
        "domains": ["training.example"],
        "footer": msgspec.to_builtins(PARTICULARS),
        "gateway": {"hostname": "mail.training.example", "max_message_bytes": 157_286_400},
        "protected": [list(pair) for pair in head.protected],
    }
    start = -(-(24 + head_bytes) // 64) * 64
    assert data[24 + head_bytes : start] == bytes(start - 24 - head_bytes)
    assert len(data) == start + 64 * rows
    found = [struct.unpack(">32sQQ16s", data[at : at + 64]) for at in range(start, len(data), 64)]
    monday, tuesday, friday = (int(moment.timestamp()) * 1_000_000 for moment in (MONDAY, TUESDAY, FRIDAY))
    heads, tomas = sha256(HEADS.encode()).digest(), sha256(TOMAS.encode()).digest()
    assert found == sorted(
        [
            (tomas, monday, 2**64 - 1, ONE.bytes),
            (heads, monday, tuesday, ONE.bytes),
            (heads, tuesday, friday, TWO.bytes),
        ]
    )


def test_the_order_of_the_rows_does_not_change_the_bytes(head: Head) -> None:
    assert encode(head, HOLDINGS) == encode(head, reversed(HOLDINGS))


def test_a_change_of_any_byte_is_named(head: Head, tmp_path: Path) -> None:
    data = encode(head, HOLDINGS)
    path = stored(tmp_path, data)
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(Tampered, match="does not hold the bytes its name promises"):
            load(path)
    for wrong in (data[:-1], data + b"\0", b"a"):
        path.write_bytes(wrong)
        with pytest.raises(Tampered):
            load(path)
    path.write_bytes(b"")
    with pytest.raises(Tampered, match="is empty"):
        load(path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: b"X" + data[1:], "is not a snapshot"),
        (lambda data: data[:10], "is not a snapshot"),
        (lambda data: data[:11] + b"\2" + data[12:], "has version 2, expected 1"),
        (lambda data: data[:-1], "another length than its header says"),
        (lambda data: data[:16] + b"\xff" * 8 + data[24:], "another length than its header says"),
        (lambda data: data[:24] + b"\xc1" + data[25:], "has a head that cannot be read"),
        (lambda data: data.replace(b"policy_version", b"policy_verzion"), "has a head that cannot be read"),
    ],
)
def test_bytes_under_their_own_name_that_are_no_snapshot_are_named(
    head: Head, tmp_path: Path, change: object, expected: str
) -> None:
    assert callable(change)
    with pytest.raises(Tampered, match=expected):
        opened(tmp_path, change(encode(head, HOLDINGS)))


@given(
    st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: b"MUNISNAP\0\0\0\1\0\0\0\x10" + tail)
)
def test_hostile_bytes_are_tampering_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    with pytest.raises(Tampered, match="take it away"):
        opened(tmp_path_factory.mktemp("hostile"), data)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="holds no current snapshot; `muniment up` compiles one"):
        load_current(tmp_path)
    (tmp_path / CURRENT).write_text("0" * 64)
    with pytest.raises(Missing, match="is not there"):
        load_current(tmp_path)
    (tmp_path / CURRENT).write_text("../../etc/passwd")
    with pytest.raises(Tampered, match="does not name a snapshot"):
        load_current(tmp_path)
    (tmp_path / CURRENT).unlink()
    (tmp_path / CURRENT).mkdir()
    with pytest.raises(Unavailable, match="cannot be read"):
        current_digest(tmp_path)


def test_a_mapping_stays_good_when_another_snapshot_becomes_current(head: Head, tmp_path: Path) -> None:
    first = make_current(tmp_path, encode(head, HOLDINGS), Disk())
    with load_current(tmp_path) as snapshot:
        second = make_current(tmp_path, encode(head, HOLDINGS[:1]), Disk())
        first.unlink()
        assert snapshot.person_of(HEADS, MONDAY) == str(ONE)
    assert f"{current_digest(tmp_path)}{SUFFIX}" == second.name
    assert second.stat().st_mode & 0o777 == 0o440


def test_a_reader_always_finds_a_whole_snapshot_while_others_become_current(
    head: Head, tmp_path: Path
) -> None:
    versions = [encode(head, HOLDINGS[:count]) for count in range(4)]
    make_current(tmp_path, versions[0], Disk())
    is_done, seen = Event(), set()

    def swap() -> None:
        for turn in range(40):
            make_current(tmp_path, versions[turn % 4], Disk())
        is_done.set()

    writer = Thread(target=swap)
    writer.start()
    while not is_done.is_set():
        with load_current(tmp_path) as snapshot:
            seen.add(len(snapshot))
    writer.join()
    assert len(seen) > 1


def test_the_data_planes_read_it_without_django() -> None:
    check = "import sys, muniment.serve.gateway, muniment.people.snapshot; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
