"""Attacks on a room: its memory, its files, its socket, other people, a killed process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muniment.answer import room_wire as wire
from muniment.answer.room_client import RoomClient
from muniment.answer.rooms import RoomPlace, is_running, parse_place, start
from muniment.policy.errors import BadInput, Missing, MunimentError, Unavailable
from muniment.record import seal
from muniment.record.keytree import DEPTH, descend
from tests.answer.room.granting import HANNAH, append, grant, letter, recorded, wait_until_open
from tests.record.recording import officer_view

WORD, NEIGHBOUR = "quincunxial", "zygomorphous"
LETTERS = [
    letter(1, "About it", f"The {WORD} plan is as we said."),
    letter(2, "Private", f"The {NEIGHBOUR} matter, for you alone.", shielded="marked private"),
    letter(3, "Elsewhere", f"The {NEIGHBOUR} matter again.", sender="olive@training.example"),
    letter(4, "More", f"More of the {WORD} plan."),
]
AT: list[int] = []


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with recorded(tmp_path_factory.mktemp("attack"), ()) as found:
        AT[:] = append(found.home, LETTERS)
        yield found


@pytest.fixture(scope="module")
def granted(house):
    return grant(house.home)


@pytest.fixture(scope="module")
def room(granted):
    with granted.opened() as client:
        client.search(WORD)
        client.read(AT[0], "To read it.")
        yield client


def pid_of(place: RoomPlace) -> int:
    """Return the process that serves a room: the one whose command line names it."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if {b"muniment.serve.room", str(place.home.path).encode(), place.name.encode()} <= set(command):
                return int(entry.name)
    raise AssertionError("the room's process is not there")


def memory_of(pid: int) -> bytes:
    """Return all that a process holds: what root, or a cold-boot attack, would take away."""
    held = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if found and "[v" not in line:
                start, end = int(found[1], 16), int(found[2], 16)
                try:
                    memory.seek(start)
                    held.append(memory.read(end - start))
                except (OSError, ValueError, OverflowError):
                    continue
    return b"".join(held)


def shares_of(house, index: int) -> dict[str, bytes]:
    """Return the keys of one entry, and those above them, as only an officer with the ring can derive them."""
    with officer_view(house.home) as view:
        row = view.catalogue.row(index)
        epoch = (row.retention, row.epoch)
        meta_root, content_root = view.roots(epoch)
        keeper = view.keeper.cover(epoch).seed(row.position)
        above = {
            f"node {level}": descend(content_root, row.position >> (DEPTH - level), level)
            for level in range(DEPTH)
        }
        return {
            "officers' root": view.share(epoch),
            "meta root": meta_root,
            "content root": content_root,
            "keeper's seed": keeper,
            "content seed": descend(content_root, row.position, DEPTH),
            "meta seed": descend(meta_root, row.position, DEPTH),
            "content blade": seal.blade(keeper, seal.CONTENT),
            "meta blade": seal.blade(keeper, seal.META),
            **above,
        }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another process's memory")
def test_the_whole_memory_of_a_room_opens_no_neighbour(house, granted, room):
    held = memory_of(pid_of(granted.place))
    assert shares_of(house, AT[0])["content blade"] in held  # the attack sees what the room may have
    assert WORD.encode() in held
    assert NEIGHBOUR.encode() not in held
    for index in (AT[1], AT[2]):
        for name, key in shares_of(house, index).items():
            assert key not in held, name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_reads_neither_its_memory_nor_its_socket(granted, room):
    tries = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
for path in (f"/proc/{sys.argv[1]}/mem", f"/proc/{sys.argv[1]}/environ", f"/proc/{sys.argv[1]}/maps"):
    try: open(path, "rb").read(1)
    except OSError: continue
    raise SystemExit(path)
try: socket.socket(socket.AF_UNIX).connect(sys.argv[2])
except OSError: raise SystemExit(0)
raise SystemExit("connected")
"""
    done = subprocess.run([sys.executable, "-c", tries, str(pid_of(granted.place)), granted.place.socket])
    assert done.returncode == 0


def test_it_is_not_dumped_and_keeps_its_fences(granted, room):
    pid = pid_of(granted.place)
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    status = Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"NoNewPrivs:\s+1", status)
    assert re.search(r"Seccomp:\s+2", status)
    assert "no network sockets" in room.state().confinement
    if "no network of its own" in room.state().confinement:
        devices = Path(f"/proc/{pid}/net/dev").read_text()
        assert [line.split(":")[0].strip() for line in devices.splitlines()[2:]] in (["lo"], [])


def files_with(words: tuple[str, ...], *folders: Path) -> list[Path]:
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file() and any(word.encode() in path.read_bytes() for word in words):
                    found.append(path)
            except OSError:
                continue
    return found


def test_no_word_of_the_record_is_on_the_disk_while_a_room_is_open_nor_after_it_is_killed(house, tmp_path):
    granted = grant(house.home, number="2026-200")
    folders = (house.home.path, Path("/dev/shm"), Path("/var/tmp"))
    start(granted.place)
    with RoomClient(granted.place.socket, HANNAH) as client:
        client.unlock(granted.words)
        wait_until_open(client)
        for rung in ("envelope", "subject", "content"):
            client.climb(rung, "why")
        [newest, _] = client.search(f"{WORD} plan").hits
        client.note(newest.index, f"A note on the {WORD} plan", ["pack"])
        client.read(newest.index, "why")
        assert files_with((WORD,), *folders) == []
        os.kill(pid_of(granted.place), signal.SIGKILL)
    assert files_with((WORD,), *folders) == []
    deadline = time.monotonic() + 20  # a process with locked memory takes a moment to go
    while is_running(granted.place) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(granted.place)
    with granted.opened() as client:  # after a kill it is unlocked again, with its notes
        assert client.search("", tag="pack").found == 1


def test_killed_while_it_builds_it_starts_again(house):
    append(house.home, [letter(1000 + n, f"Bulk {n}", f"words number {n} " * 40) for n in range(1500)])
    granted = grant(house.home, number="2026-201", until_ms=time.time_ns() // 1_000_000 + 10_000)
    start(granted.place)
    with RoomClient(granted.place.socket, HANNAH) as client:
        client.unlock(granted.words)
        os.kill(pid_of(granted.place), signal.SIGKILL)
        with pytest.raises(Unavailable):
            client.state()
    with granted.opened("envelope") as client:
        assert client.search("bulk").found == 1500


def test_it_is_usable_while_it_builds_by_two_at_once(house):
    granted = grant(house.home, number="2026-202", until_ms=time.time_ns() // 1_000_000 + 10_000)
    with granted.entered() as client:
        client.unlock(granted.words)
        client.climb("envelope", "why")

        def ask() -> list[tuple[int, int]]:
            with RoomClient(granted.place.socket, HANNAH) as own:
                return [(found.found, found.searched) for found in (own.search("bulk") for _ in range(30))]

        with ThreadPoolExecutor(2) as pool:
            for answers in pool.map(lambda _: ask(), range(2)):
                assert [found for found, _ in answers] == sorted(found for found, _ in answers)
        wait_until_open(client)
        assert client.search("bulk").found == 1500


def raw(place: RoomPlace) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    try:
        connection.connect(str(place.socket))
    except OSError:
        connection.close()
        raise
    return connection


def test_a_message_that_is_too_long_is_refused_and_the_room_goes_on(granted, room):
    with raw(granted.place) as connection:
        connection.sendall((64 << 20).to_bytes(4, "big"))
        with pytest.raises(BadInput, match="too long"):
            wire.parse_reply(wire.receive(connection, wire.MAX_REPLY_BYTES))
        assert connection.recv(1) == b""
    assert room.state().state == "open"


def test_half_a_message_keeps_nobody_waiting(granted, room):
    with raw(granted.place) as half, raw(granted.place) as other:
        half.sendall((100).to_bytes(4, "big") + b"half")
        other.sendall(b"\0")
        assert room.search(WORD).found == 2
    assert room.search(WORD).found == 2


def test_more_connections_than_it_takes_are_turned_away_and_it_goes_on(granted, room):
    with ExitStack() as many, suppress(OSError):
        for _ in range(120):
            many.enter_context(raw(granted.place))
    deadline = time.monotonic() + 10
    while True:
        try:
            with RoomClient(granted.place.socket, HANNAH) as client:
                assert client.state().state == "open"
            return
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(0.1)


LOOKERS = st.fixed_dictionaries(
    {"id": st.just(HANNAH.id), "name": st.text(max_size=5), "role": st.just("hr")}
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
OPERATIONS = [
    "state",
    "counts",
    "climb",
    "search",
    "conversation",
    "read",
    "attachment",
    "note",
    "scan",
    "pack",
    "x",
]
NAMES = [
    "words",
    "index",
    "reason",
    "rung",
    "first",
    "most",
    "terms",
    "tags",
    "part",
    "indexes",
    "field",
    "from_ms",
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(
            st.sampled_from(OPERATIONS), LOOKERS, st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
        ).map(msgspec.msgpack.encode),
    )
)
def test_hostile_requests_get_an_answer_and_break_nothing(granted, room, data):
    with raw(granted.place) as connection:
        wire.send(connection, data)
        reply = wire.receive(connection, wire.MAX_REPLY_BYTES)
        assert reply is not None
        try:
            wire.parse_reply(reply)
        except MunimentError as error:
            assert not str(error).startswith("the room failed"), error
    assert room.state().state == "open"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet=st.sampled_from('abz"*~59-: ORNT(\\)[]^.+?{}|\0é\U0001f600'), max_size=60))
def test_hostile_words_are_answered_or_bad_input(room, words):
    try:
        room.search(words)
    except BadInput:
        return


def test_an_entry_of_another_room_is_missing_in_this_one(house, room):
    other = grant(house.home, number="2026-203", addresses=("olive@training.example",))
    with other.opened() as client:
        assert client.read(AT[2], "why").text
        with pytest.raises(Missing):
            client.read(AT[0], "why")
    with pytest.raises(Missing):
        room.read(AT[2], "why")


def test_the_words_of_one_room_do_not_open_another(house, granted):
    other = grant(house.home, number="2026-204")
    with other.entered() as client, pytest.raises(BadInput, match="six words"):
        client.unlock(granted.words)


def test_files_exchanged_between_rooms_open_nothing(house, granted):
    for number, name in enumerate(("request.json", "selection.bin", "approval.json", "room-key.sealed")):
        other = grant(house.home, number=f"2026-21{number}", addresses=("olive@training.example",))
        (other.place.folder / name).write_bytes((granted.place.folder / name).read_bytes())
        with pytest.raises(MunimentError), other.entered() as client:
            client.unlock(granted.words)


def test_a_wider_selection_opens_nothing(house):
    """Somebody with the disk adds the neighbour to the selection and names its hash in the request."""
    granted = grant(house.home, number="2026-220")
    path = granted.place.folder / "selection.bin"
    with officer_view(house.home) as view:
        row = view.catalogue.row(AT[2])
    from muniment.record.permit_selection import Item, digest_of, pack_selection, parse_selection

    items = parse_selection(path.read_bytes())
    wider = sorted([*items, Item(row.idx, row.retention, row.epoch, row.position, 3)])
    path.write_bytes(pack_selection(wider))
    with pytest.raises(Unavailable, match="not the one that was approved"):
        start(granted.place)
    request = (granted.place.folder / "request.json").read_text()
    (granted.place.folder / "request.json").write_text(
        request.replace(granted.request.selection_sha256, digest_of(path.read_bytes()))
    )
    with pytest.raises(Unavailable, match="not the one that was approved"):
        start(granted.place)


@pytest.mark.parametrize(
    "name", ["../../etc", "2026-1", "2026-001", "2026-001-0", "2026-001-1/../x", "", "2026-001-1\n"]
)
def test_a_room_s_name_leads_nowhere_else(house, name):
    with pytest.raises(BadInput):
        parse_place(house.home, name)


def test_a_stale_socket_is_taken_over_and_a_live_one_is_not(house, granted, room):
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(
            [sys.executable, "-m", "muniment.serve.room", str(house.home.path), granted.place.name],
            check=True,
            capture_output=True,
        )
    assert room.state().state == "open"
