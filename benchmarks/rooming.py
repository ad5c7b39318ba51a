"""A room over real-size mail, in its own process: how fast it indexes, what memory it takes, how fast it answers.

Every answer counts its look in the record: flushed before the result leaves the room. Beside it notmuch and Dovecot's
Xapian index over the same mail in the same run; they index in the clear, on the disk, and record nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import quantiles

from tests.answer.room.granting import HANNAH, Granted, grant
from tests.record.recording import SECRET, make_home
from tests.serve.house import House

from benchmarks.harness import Figure, Options, Peer, say, scratch, tree_bytes
from benchmarks.real_mail import gateway_entry, real_mail
from benchmarks.seal import notmuch_new
from muniment.answer.room_client import RoomClient
from muniment.answer.rooms import start, stop
from muniment.record.home import Home
from muniment.record.opening import clock_ms, open_record

ENTRIES_LIMIT = 100_000
DOVECOT_MESSAGES = 400  # it indexes every part of every word, which takes its time
RATE, P95_MS, ENTRY_BYTES, BASE_BYTES = 6_000, 10.0, 1_500, 150_000_000
QUERIES = (
    "meeting",
    "energy market",
    '"thank you"',
    "contract -gas",
    "agree*",
    "price OR offer",
    "subject:report",
    '"please call"~5',
    "company",
    "zzyzx",
)
_NOBODY = 65534


def measure(options: Options) -> Iterator[Figure]:
    """Yield the room's figures."""
    count = min(options.entries, ENTRIES_LIMIT)
    with scratch(options) as folder:
        say(f"  a record of {count:,} messages")
        home, size = make_mail_home(folder, options.mail, count)
        room = measure_room(home, count)
        say("  notmuch")
        notmuch = measure_notmuch(folder, options.mail, count)
        say("  Dovecot")
        dovecot = measure_dovecot(folder, options.mail)
    note = f"{count:,} messages of {size:,} bytes on average from {options.mail or 'invented mail'}"
    yield Figure(
        name="room: bodies indexed",
        unit="entries/CPU-second",
        value=room["rate"],
        target=RATE,
        peers=[
            Peer(name="notmuch new (the files are written before)", value=notmuch["rate"]),
            *(
                [Peer(name=f"Dovecot, fts-xapian, {DOVECOT_MESSAGES} of them", value=dovecot["rate"])]
                if dovecot
                else []
            ),
        ],
        note=f"{note}; all indexed {room['wall']:.1f} s after unlocking, load {os.getloadavg()[0]:.1f}",
    )
    yield Figure(
        name="room: memory, all of the process",
        unit="bytes",
        value=room["memory"],
        target=ENTRY_BYTES * count + BASE_BYTES,
        is_limit=True,
        peers=[Peer(name="notmuch: its index on the disk", value=notmuch["bytes"])],
        note=f"at most {room['peak']:,.0f} while it was built",
    )
    yield Figure(
        name="room: a search of 20, its look recorded, p95",
        unit="ms",
        value=room["p95"],
        target=P95_MS,
        is_limit=True,
        peers=[
            Peer(name="notmuch search, a process each", value=notmuch["p95"]),
            *([Peer(name="doveadm search, a process each", value=dovecot["p95"])] if dovecot else []),
        ],
        note=f"p50 {room['p50']:.1f} ms over {len(QUERIES)} different searches; notmuch p50 {notmuch['p50']:.1f} ms",
    )


def make_mail_home(folder: Path, mail: Path | None, count: int) -> tuple[Home, int]:
    """Return a home that holds `count` messages, and their mean size."""
    home, size, batch = make_home(folder, clock_ms), 0, []
    with open_record(home, SECRET) as record:
        for number, content in enumerate(real_mail(mail, count)):
            size += len(content)
            batch.append(gateway_entry(content, number))
            if len(batch) == 256:
                record.append(batch)
                batch = []
            if number % 25_600 == 0:
                record.publish()
        if batch:
            record.append(batch)
    return home, size // max(count, 1)


def measure_room(home: Home, count: int) -> dict[str, float]:
    """Return the rate of indexing, the memory, and the times of searches."""
    house = House(home, {})
    house.start("recorder")
    try:
        granted = grant(home)
        assert granted.request.entries == count
        start(granted.place)
        pid = process_of(granted)
        with RoomClient(granted.place.socket, HANNAH) as client:
            found = _index(client, granted, pid, count)
            for rung in ("envelope", "subject", "content"):
                client.climb(rung, "To measure.")
            found |= _search(client)
            found |= {"memory": memory_of(pid, "VmRSS"), "peak": memory_of(pid, "VmHWM")}
        stop(granted.place, HANNAH)
        return found
    finally:
        house.stop()


def _index(client: RoomClient, granted: Granted, pid: int, count: int) -> dict[str, float]:
    before, started = cpu_of(pid), time.perf_counter()
    client.unlock(granted.words)
    while (state := client.state()).indexed < count and state.state != "open":
        time.sleep(0.02)
    used, wall = cpu_of(pid) - before, time.perf_counter() - started
    assert client.state().indexed == count, client.state()
    while client.state().state != "open":
        time.sleep(0.05)
    return {"rate": count / used, "wall": wall}


def _search(client: RoomClient) -> dict[str, float]:
    times = []
    for words in QUERIES * 30:
        begun = time.perf_counter()
        client.search(words, most=20)
        times.append(1000 * (time.perf_counter() - begun))
    return percentiles(times)


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Return the middle of some times and the bound that one in twenty exceeds."""
    cuts = quantiles(times, n=20)
    return {"p50": cuts[9], "p95": cuts[18]}


def process_of(granted: Granted) -> int:
    """Return the id of a room's process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if {b"muniment.serve.room", str(granted.home.path).encode()} <= set(command):
                return int(entry.name)
    raise RuntimeError("the room's process is not there")


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time of a process, with those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int, name: str) -> float:
    """Return a figure of a process's memory in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return 1024.0 * int(line.split()[1])
    raise RuntimeError(f"the kernel does not tell {name}")


def measure_notmuch(folder: Path, mail: Path | None, count: int) -> dict[str, float]:
    """Return the same of notmuch, its index on the disk."""
    box = folder / "mail"
    write_box(box, mail, count)
    raw = tree_bytes(box)
    before = getrusage(RUSAGE_CHILDREN)
    notmuch_new(folder)
    after = getrusage(RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    times = []
    environment = os.environ | {"NOTMUCH_CONFIG": str(folder / "notmuch-config")}
    for words in QUERIES * 5:
        command = ["notmuch", "search", "--limit=20", "--sort=newest-first", _for_notmuch(words)]
        begun = time.perf_counter()
        subprocess.run(command, env=environment, capture_output=True, check=True)
        times.append(1000 * (time.perf_counter() - begun))
    found = {"rate": count / used, "bytes": float(tree_bytes(box) - raw), **percentiles(times)}
    shutil.rmtree(box)
    return found


def write_box(box: Path, mail: Path | None, count: int) -> None:
    """Write a Maildir of the same messages."""
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir(parents=True)
    for number, content in enumerate(real_mail(mail, count)):
        (box / "cur" / f"{number}.bench:2,S").write_bytes(content)


def _for_notmuch(words: str) -> str:
    return words.partition("~")[0].replace(" OR ", " or ").replace("-gas", "not gas")


DOVECOT = """
base_dir = {folder}/run
log_path = {folder}/log
ssl = no
protocols =
mail_location = maildir:{folder}/dovecot
mail_plugins = fts fts_xapian
plugin {{
  fts = xapian
  fts_xapian = partial=3 full=20 verbose=0
  fts_enforced = yes
}}
"""


def measure_dovecot(folder: Path, mail: Path | None) -> dict[str, float]:
    """Return the same of Dovecot over fewer messages; nothing when it is not there or this is not root."""
    if shutil.which("doveadm") is None or os.geteuid() != 0:
        say("    left out: it needs root, and dovecot-fts-xapian (benchmarks/install-peers)")
        return {}
    box = folder / "dovecot"
    write_box(box, mail, DOVECOT_MESSAGES)
    (folder / "run").mkdir()
    (folder / "dovecot.conf").write_text(DOVECOT.format(folder=folder))
    subprocess.run(["chown", "-R", f"{_NOBODY}:{_NOBODY}", str(folder)], check=True)
    before = getrusage(RUSAGE_CHILDREN)
    _doveadm(folder, "index", "INBOX")
    after = getrusage(RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    times = []
    for words in ("meeting", "thank you", "company", "zzyzx") * 5:
        begun = time.perf_counter()
        _doveadm(folder, "search", "mailbox", "INBOX", "text", words)
        times.append(1000 * (time.perf_counter() - begun))
    return {"rate": DOVECOT_MESSAGES / used, **percentiles(times)}


def _doveadm(folder: Path, *command: str) -> None:
    nobody = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "USER": "bench"}
    subprocess.run(
        [*nobody, "doveadm", "-c", str(folder / "dovecot.conf"), "-o", "stats_writer_socket_path=", *command],
        env=environment,
        check=True,
        capture_output=True,
        timeout=600,
    )
