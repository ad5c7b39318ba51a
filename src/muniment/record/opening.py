"""Creating and opening the record of a home, and the acts of the recorder's process on it.

`create_record` is called once, by `muniment init`; `open_record` by the recorder at every start.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from muniment.policy.errors import Conflict, MunimentError, Unavailable
from muniment.policy.policyfile import PolicyFile, load, stamp
from muniment.record import recovery
from muniment.record.backup import restored
from muniment.record.backup.noted import Backups
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.entry import Entry, Kind, Receipt, Stream
from muniment.record.frame import parse_sections
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keys import ring_statement
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.continuing import require_extends
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.publisher import CHECKPOINT_FILE, Publisher
from muniment.record.officers import OfficerSet
from muniment.record.reading import read_frame
from muniment.record.recorder import Parts, Record
from muniment.record.retention.desk import RetentionDesk
from muniment.record.statement.completeness import NOT_RUNNING, Completeness
from muniment.record.witnessed.kept import Ledger, Witnessed
from muniment.record.witnessed.settings import trust_policy_of
from muniment.record.witnessed.startup import AskWitnesses, require_not_behind

SILENCE_MS = 150_000  # more than two heartbeats
VKEY_FILE = "vkey"


def clock_ms() -> int:
    """Return the machine's time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def origin_of(policy: PolicyFile) -> str:
    """Return the ledger's name: the first domain of the organisation and `/record`."""
    return f"{policy.organisation.domains[0]}/record"


def create_record(
    home: Home, secret: bytes, clock: Callable[[], int] = clock_ms, disk: Disk | None = None
) -> str:
    """Make an empty record: keeper's ring, ledger key, catalogue; return the ledger's verifier key.

    `HOME/muniment.toml` must stand already; `secret` is the machine secret.
    Raises:
        Conflict: there is a record already.
    """
    disk = disk or Disk()
    if home.database.exists() or (home.keeper / "wrapping.sealed").exists():
        raise Conflict(f"{home.record} holds a record already; choose another folder")
    policy = load(home.policy_file)
    for folder in (home.record, home.segments, home.ledger, home.keeper, home.quarantine):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keeper = Keeper.create(home, secret, disk)
    vkey = str(Ed25519Signer(origin_of(policy), keeper.signing_seed).key)
    disk.write_durable(home.ledger / VKEY_FILE, vkey.encode() + b"\n")
    Catalogue.create(home.database).close()
    with open_record(home, secret, clock=clock, disk=disk) as record:
        record.append([record.officers_entry(), record.policy_entry()])
        record.publish()
    return vkey


def open_record(
    home: Home,
    secret: bytes,
    *,
    clock: Callable[[], int] = clock_ms,
    disk: Disk | None = None,
    accept_new_officers: bool = False,
    ask_witnesses: AskWitnesses | None = None,
) -> OpenRecord:
    """Open the record for writing, bringing it up after whatever ended the last run.

    `accept_new_officers` is for the replacement of an officer alone. `ask_witnesses` finds out what they last saw;
    without it nobody is asked.

    Raises:
        Conflict: another recorder has it open, or officers' keys in the policy file are not those recorded.
        Tampered: the record on disk is not the one that was acknowledged.
    """
    return OpenRecord(home, secret, clock, disk or Disk(), accept_new_officers, ask_witnesses)


class OpenRecord:
    """The record, open in the one process that may write it. One thread at a time."""

    def __init__(
        self,
        home: Home,
        secret: bytes,
        clock: Callable[[], int],
        disk: Disk,
        accept_new_officers: bool,
        ask_witnesses: AskWitnesses | None,
    ) -> None:
        self.home = home
        self._clock, self._disk, self._accept_new_officers = clock, disk, accept_new_officers
        self._ask_witnesses = ask_witnesses
        self.warnings: list[str] = []
        self._lock = _lock(home)
        try:
            self._open(secret)
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self, secret: bytes) -> None:
        home, disk = self.home, self._disk
        restored.read(home)
        self.policy, self._policy_seen = load(home.policy_file), stamp(home.policy_file)
        self.policy_problem = ""
        self.origin = origin_of(self.policy)
        keeper = Keeper.load(home, secret, disk)
        catalogue = Catalogue(home.database)
        self.signer = Ed25519Signer(self.origin, keeper.signing_seed)
        self._publisher = Publisher(home.ledger, self.signer, catalogue, disk)
        published = self._publisher.recover()
        self._check_anchor(published)
        ring_statement.require_current(home, catalogue, keeper)
        self._published = published
        self._meet_witnesses()
        found = recovery.recover(home, self.origin, catalogue, keeper, published, disk)
        officers = OfficerSet.from_policy(self.policy)
        keeper.discard_others()
        parts = Parts(home, self.policy, officers, self.origin, keeper, catalogue, found.frontier, disk)
        self.record = Record(parts, self._clock)
        self.record.unpublished = found.unpublished
        self.retention = RetentionDesk(self, self._clock)
        self.backups = Backups(home, catalogue)
        self.completeness = Completeness(home, catalogue)
        self._settle(catalogue, found)
        with suppress(Unavailable):
            self.retention.resume()

    def __enter__(self) -> OpenRecord:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Record entries; see `Record.append`."""
        return self.record.append(entries)

    def publish(self) -> str:
        """Sign a checkpoint over everything recorded; return it."""
        record = self.record
        leaves = record.unpublished
        if leaves:
            try:
                self._publisher.publish(record.size, record.parts.frontier.root(), leaves)
            except BaseException:
                with suppress(Unavailable):
                    done = self._publisher.recover()
                    record.unpublished = (
                        leaves[len(leaves) - (record.size - done) :] if done < record.size else []
                    )
                raise
            record.unpublished = []
            self._published = record.size
            self._write_anchor()
        return self.checkpoint()

    def tick(self) -> None:
        """Do what is due: follow the policy file, end spent epochs, forget what has lived its time, publish."""
        self._follow_policy()
        self.record.end_spent_epochs()
        self.retention.tick()
        self.record.append_notices(self.completeness.silences_due(self.policy.streams, self.record.now_ms()))
        if self.record.unpublished:
            self.publish()

    def _follow_policy(self) -> None:
        """Take over a changed policy file and record it; one that cannot be taken over is named in `status`."""
        seen = stamp(self.home.policy_file)
        if seen == self._policy_seen:
            return
        self._policy_seen, self.policy_problem = seen, ""
        try:
            policy = load(self.home.policy_file)
            OfficerSet.from_policy(policy).require_same(self.stated_officers())
            if origin_of(policy) != self.origin:
                raise Conflict(f"organisation.domains must go on beginning with the domain of {self.origin}")
            self.witnessed.policy = trust_policy_of(policy, self.origin)
        except MunimentError as error:
            self.policy_problem = f"the policy in force stays: {error}"
            return
        if policy.digest != self.policy.digest:
            self.policy = self.record.parts.policy = policy
            self.record.owe(self.policy_entry())
            self.append([])

    def checkpoint(self) -> str:
        """Return the last signed checkpoint; empty before the first."""
        return self.record.parts.catalogue.current().decode()

    def heartbeat(self, event: str = "running") -> Entry:
        """Return the open entry that says the recorder is alive, with its counters."""
        streams = self.record.parts.catalogue.streams()
        facts = {
            "event": event,
            "size": self.record.size,
            "trusted_ms": self.retention.clock.trusted_ms(),
            "streams": {Stream(s).name.lower(): n for s, (n, _) in streams.items()},
        }
        return Entry(
            stream=Stream.HEALTH, kind=Kind.HEARTBEAT, plain=json.dumps(facts, sort_keys=True).encode()
        )

    def officers_entry(self) -> Entry:
        """Return the open entry that states who the officers are."""
        return Entry(stream=Stream.KEYS, kind=Kind.EPOCH, plain=self.record.parts.officers.to_json())

    def policy_entry(self) -> Entry:
        """Return the open entry that holds the policy file in force."""
        data = self.home.policy_file.read_bytes()
        table = {"format": "muniment-policy/1", "sha256": sha256(data).hexdigest(), "text": data.decode()}
        plain = json.dumps(table)
        return Entry(stream=Stream.POLICY, kind=Kind.POLICY, plain=plain.encode())

    def status(self, problems: Sequence[str] = ()) -> dict[str, Any]:
        """Return the state of the record as the pages and `muniment status` show it."""
        catalogue = self.record.parts.catalogue
        checkpoint = self.checkpoint()
        return {
            "origin": self.origin,
            "size": self.record.size,
            "root": checkpoint.split("\n")[2] if checkpoint else "",
            "published": self.record.size - len(self.record.unpublished),
            "checkpoint_time_ms": self._checkpoint_time_ms(),
            **self.witnessed.state(self._clock()),
            "streams": [
                {"name": Stream(stream).word, "sequence": sequence, "last_ms": last}
                for stream, (sequence, last) in sorted(catalogue.streams().items())
            ],
            **catalogue.counts(),
            "sealing": self.record.parts.sealer.state,
            "backup": self.backups.status(self.record.parts.keeper.generation),
            **self.completeness.told(self.policy.streams, self.record.now_ms()),
            "example": self.policy.example,
            "problems": [
                *problems,
                *filter(None, [self.policy_problem]),
                *self.retention.problems(),
                *self.witnessed.problems(self._clock()),
            ],
        }

    def close(self) -> None:
        """Say that the recorder stops, publish, end every epoch, and let another recorder open the record."""
        try:
            self._say_stopped()
            with suppress(Unavailable):
                self.publish()
            with suppress(Unavailable):
                self.record.mend()
            self.record.close()
        finally:
            os.close(self._lock)

    def _say_stopped(self) -> None:
        """Record that the recorder stops; a second try records the failure of the first."""
        for _ in range(2):
            with suppress(Unavailable):
                self.append([self.heartbeat("stopped")])
                return

    def _settle(self, catalogue: Catalogue, found: recovery.Recovered) -> None:
        """Record how the last run ended, and what changed in the policy file since."""
        record = self.record
        streams = catalogue.streams()
        if not streams:
            return
        last_ms = max(last for _, last in streams.values())
        now = record.now_ms()
        if found.quarantined or found.taken_up:
            record.note(
                "the recorder ended in the middle of a write",
                tails=found.quarantined,
                taken_up=found.taken_up,
            )
        if now - last_ms > SILENCE_MS:
            record.note(NOT_RUNNING, from_ms=last_ms, until_ms=now)
        from_backup = restored.read(self.home)
        if from_backup:
            record.note("restored from a backup", **from_backup.facts())
        record.owe(self.heartbeat("started"))
        if not self._accept_new_officers:
            record.parts.officers.require_same(self.stated_officers())
        stated = self._last_plain(Stream.POLICY, b'"muniment-policy/')
        if stated and json.loads(stated)["sha256"] != self.policy.digest.hex():
            record.owe(self.policy_entry())
        with suppress(Unavailable):
            record.append([])
            if from_backup:
                self.publish()
                self._disk.remove(restored.path_of(self.home))

    def stated_officers(self) -> bytes:
        """Return the newest officer set in the record, as it was stated."""
        return self._last_plain(Stream.KEYS, b'"muniment-officers/')

    def _last_plain(self, stream: Stream, marker: bytes) -> bytes:
        """Return the newest open entry of a stream that holds `marker`, empty when there is none."""
        rows = self.record.parts.catalogue.rows("stream = ? AND retention = 1 AND position > 0", (stream,))
        for row in reversed(rows):
            plain = parse_sections(read_frame(self.home, row).body).plain
            if marker in plain:
                return plain
        return b""

    def _checkpoint_time_ms(self) -> int:
        path = self.home.ledger / CHECKPOINT_FILE
        return path.stat().st_mtime_ns // 1_000_000 if path.exists() else 0

    def _anchor_path(self) -> Path | None:
        folder = self.policy.record.anchor_dir
        return Path(folder) / "checkpoint" if folder else None

    def _write_anchor(self) -> None:
        path = self._anchor_path()
        if path is not None:
            self._disk.write_durable(path, self.checkpoint().encode())

    def require_continues(self, checkpoint: Checkpoint, place: str) -> None:
        """Return when what is published continues a checkpoint of this log. Raises: Tampered otherwise."""
        require_extends(self.home, self._published, checkpoint.size, checkpoint.root, place)

    def _meet_witnesses(self) -> None:
        """Know the witnesses of the policy file, and ask what they last saw before anything is added."""
        policy = trust_policy_of(self.policy, self.origin)
        ledger = Ledger(self.home, self.signer.key, self._disk, self.require_continues)
        self.witnessed = Witnessed(ledger, policy)
        if self._ask_witnesses is not None:
            seen = self._ask_witnesses(policy, self.origin)
            checked = require_not_behind(self.home, self.signer.key, seen, self.require_continues, self._disk)
            self.warnings = list(checked)

    def _check_anchor(self, published: int) -> None:
        """Compare the ledger with the checkpoint kept outside the home.

        Raises:
            Tampered: an earlier copy of the home was put back, or the ledger was forked.
        """
        path = self._anchor_path()
        if path is None or not path.exists() or restored.is_let_go(self.home, path.read_bytes()):
            return
        anchor = open_checkpoint(path.read_bytes(), self.origin, [self.signer.key])
        require_extends(self.home, published, anchor.size, anchor.root, str(path))


@contextmanager
def lock_record(home: Home) -> Iterator[None]:
    """Hold the record for oneself: no recorder runs while the block does.

    Raises:
        Conflict: one is running.
    """
    descriptor = _lock(home)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(home: Home) -> int:
    """Take the record's lock file, so that one recorder at a time writes."""
    home.record.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(home.record / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Conflict(f"another recorder has {home.record} open; stop it first") from None
    return descriptor
