"""Every disk call of every stage, broken twice: `python -m tests.record.fault_matrix [--steps] [STAGE...]`.

Each call fails without having stored, and fails though it stored; and each time the recorder goes on, and is killed.
Afterwards the power is cut, the record opened again, and compared with what was acknowledged. `--steps` breaks
nothing and prints the table of docs/operations/faults.md.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from muniment.record.entry import Kind
from muniment.record.home import Home
from muniment.record.rebuild import rebuild
from tests.record.fault_stages import ORIGIN, STAGES, Run
from tests.record.faulty import ANY, FaultyDisk
from tests.record.recording import SECRET, check_record, mail, officer_view

_TABLES = ("entry", "mention", "stream", "segment", "lock")


class Fault(NamedTuple):
    """One way to break one call."""

    at: int
    stored: bool
    dies: bool


class Step(NamedTuple):
    """What a disk call did: its kind, and to what."""

    call: str
    thing: str


class Sweep:
    """Breaks every call of one stage, always beginning with the same record at the same place."""

    def __init__(self, folder: Path, name: str) -> None:
        self.stage, self.name = STAGES[name], name
        self._saved, self._work = folder / "saved", folder / "work"
        self._work.mkdir(parents=True)
        prepared = Run(self._work)
        self.stage.prepare(prepared)
        prepared.stop()
        self._clock_ms, self._acknowledged = prepared.clock.now_ms, prepared.acknowledged
        shutil.copytree(self._work, self._saved)
        self.steps = [step_of(*call) for call in self.run(FaultyDisk()).disk.log]

    def faults(self) -> Iterator[Fault]:
        for at in range(1, len(self.steps) + 1):
            for stored in (False, True):
                for dies in (False, True):
                    yield Fault(at, stored, dies)

    def run(self, disk: FaultyDisk, dies: bool = False) -> Run:
        """Act the stage on a fresh copy."""
        shutil.rmtree(self._work)
        shutil.copytree(self._saved, self._work)
        run = Run(self._work, disk, dies, acknowledged=list(self._acknowledged))
        run.clock.now_ms = self._clock_ms
        self.stage.act(run)
        run.stop()
        return run

    def break_at(self, fault: Fault) -> Run:
        """Break one call, cut the power, and prove that nothing acknowledged is lost."""
        step = self.steps[fault.at - 1]
        try:
            return self._break_at(fault, step)
        except Exception as error:
            error.add_note(f"{self.name}: {fault}: {step}")
            raise

    def _break_at(self, fault: Fault, step: Step) -> Run:
        run = self.run(FaultyDisk(ANY, fault.at, stored=fault.stored), fault.dies)
        run.disk.cut_power(run.home.record)
        is_told = self.name != "create" and (not run.deaths or (fault.stored and run.failures == 1))
        if is_told and step.thing == "segment" and step.call in ("write", "flush"):
            assert gaps(run.home), "nothing in the record says what happened"
        check(run)
        return run


def check(run: Run) -> None:
    """Open the record again and prove it: all of it is there, once, numbered without gaps, and can be made again."""
    require_acknowledged(run)
    check_record(run.home)
    require_rebuilt_equal(run.home)
    run.disk = FaultyDisk()
    run.append([mail(99)])
    run.stop()
    require_acknowledged(run)
    check_record(run.home)


def require_acknowledged(run: Run) -> None:
    """Open everything with an officer's key; what is there twice says so."""
    with officer_view(run.home) as view:
        rows = view.catalogue.rows("kind IN (1, 14)")
        first: dict[bytes, int] = {}
        for row in rows:
            content = view.open(row.idx).content
            assert content not in first or row.stream == 19 or row.about is not None, f"{row.idx} is doubled"
            first.setdefault(content, row.idx)
    missing = [content for content in run.acknowledged if content not in first]
    assert missing == []


def require_rebuilt_equal(home: Home) -> None:
    """Make catalogue and tiles again in a copy, and find them equal."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Home(Path(shutil.copytree(home.path, Path(folder) / "home")))
        rebuild(copy, ORIGIN, SECRET)
        assert tables(copy) == tables(home)
        assert tiles(copy) == tiles(home)


def tables(home: Home) -> dict[str, list[tuple]]:
    database = sqlite3.connect(home.database)
    found = {name: sorted(database.execute(f"SELECT * FROM {name}"), key=str) for name in _TABLES}
    database.close()
    return found


def tiles(home: Home) -> dict[str, bytes]:
    """Return every tile and bundle; of partial ones that lie beside each other the widest."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in (home.ledger / "tile").rglob("*"):
        if path.is_file():
            is_partial = path.parent.name.endswith(".p")
            place, width = (str(path.parent)[:-2], int(path.name)) if is_partial else (str(path), 256)
            name = place.removeprefix(str(home.ledger))
            found[name] = max(found.get(name, (0, b"")), (width, path.read_bytes()))
    return {name: data for name, (_, data) in found.items()}


def gaps(home: Home) -> list[bytes]:
    """Return what the gap entries of a record say."""
    with officer_view(home) as view:
        return [view.open(row.idx).plain for row in view.catalogue.rows("kind = ?", (Kind.GAP,))]


def step_of(call: str, path: Path) -> Step:
    """Return what a disk call was about."""
    return Step(call, _thing(call, path))


def _thing(call: str, path: Path) -> str:
    parts, name = path.parts, path.name
    if call in ("sync_dir", "remove_folder"):
        return "partial tiles" if name.endswith(".p") and call == "remove_folder" else "folder"
    for found, thing in (
        (name.endswith(".seg"), "segment"),
        (name.endswith(".tail"), "quarantine"),
        ("staging" in parts, "staging"),
        ("entries" in parts, "bundle"),
        ("tile" in parts, "tile"),
        ("elsewhere" in parts, "anchor"),
        (name.startswith("ring."), "ring"),
        (name.endswith(".sealed"), "wrapping key" if name.startswith("wrapping") else "log key"),
        (name == "checkpoint", "checkpoint"),
        (name == "vkey", "verifier key"),
        (name.startswith("record.db"), "catalogue"),
    ):
        if found:
            return thing
    return name


def table(steps: dict[str, list[Step]]) -> str:
    """Return which steps each stage takes, as a Markdown table."""
    rows = ["| stage | calls on |", "| --- | --- |"]
    for name, found in steps.items():
        calls: dict[str, set[str]] = {}
        for step in found:
            calls.setdefault(step.thing, set()).add(step.call)
        told = "; ".join(f"{thing}: {', '.join(sorted(kinds))}" for thing, kinds in sorted(calls.items()))
        rows.append(f"| {name} | {told} |")
    return "\n".join(rows)


@contextmanager
def sweeping(name: str) -> Iterator[Sweep]:
    """Prepare a stage in memory, where flushing costs nothing: what is stored is for the faulty disk to say."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Sweep(Path(folder), name)


def main() -> int:
    """Break everything and print the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.record.fault_matrix", description=__doc__)
    parser.add_argument("stages", nargs="*", choices=[*STAGES, []], metavar="STAGE")
    parser.add_argument("--steps", action="store_true", help="print the table of stages and steps")
    args = parser.parse_args()
    steps, total = {}, 0
    for name in args.stages or STAGES:
        with sweeping(name) as sweep:
            steps[name] = sweep.steps
            if args.steps:
                continue
            runs = sum(1 for fault in sweep.faults() if sweep.break_at(fault))
            total += runs
            print(f"{name}: {len(sweep.steps)} steps broken in {runs} runs, nothing lost", flush=True)
            for (call, thing), count in sorted(Counter(sweep.steps).items()):
                print(f"  {count:4} {call} {thing}")
    print(table(steps) if args.steps else f"{total} runs, nothing lost")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
