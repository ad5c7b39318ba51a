"""A record against a model of it, through any order of what may happen to one. R-5.1-a, R-2.1-b.

What was acknowledged is there and opens; a proof once given always verifies; the catalogue equals what is rebuilt.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from muniment.record.entry import Retention
from muniment.record.ledger.checkpoint import Checkpoint, parse_checkpoint
from muniment.record.ledger.merkle import verify_consistency, verify_inclusion
from muniment.record.ledger.tiles import TileReader
from muniment.record.rebuild import rebuild
from tests.record.fault_matrix import check
from tests.record.fault_stages import ORIGIN, STAGES, Run, of_every_class
from tests.record.faulty import ANY
from tests.record.ledger.test_merkle import naive_root
from tests.record.recording import SECRET, mail


def read(note: str) -> Checkpoint:
    return parse_checkpoint(note.split("\n\n")[0] + "\n")


class RecordModel(RuleBasedStateMachine):
    """The model is a list of what was acknowledged, and of every checkpoint and proof that was given."""

    def __init__(self) -> None:
        super().__init__()
        shared = Path("/dev/shm")
        self.scratch = tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
        self.run = Run(Path(self.scratch.name))
        STAGES["append"].prepare(self.run)
        self.number = 100
        self.given: list[tuple[int, bytes, bytes, list[bytes]]] = []

    @rule(count=st.integers(1, 4))
    def mail_comes_in(self, count: int) -> None:
        self.number += 10
        self.run.append([mail(self.number + n) for n in range(count)])

    @rule()
    def every_class_gets_something(self) -> None:
        self.number += 10
        self.run.append(of_every_class(self.number))

    @rule(retention=st.sampled_from(Retention))
    def an_epoch_ends(self, retention: Retention) -> None:
        self.run.until_done(lambda: self.run.opened().record.end_epoch(retention))

    @rule(seconds=st.sampled_from([-86_400, -61, -1, 1, 3_600, 86_400, 91 * 86_400]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.run.clock.advance(seconds=seconds)

    @rule()
    def a_checkpoint_is_published_and_a_proof_is_given(self) -> None:
        self.run.tick()
        checkpoint = read(self.run.opened().checkpoint())
        ledger, last = TileReader(self.run.home.ledger, checkpoint.size), checkpoint.size - 1
        self.given.append((checkpoint.size, checkpoint.root, ledger.hash(0, last), ledger.inclusion(last)))

    @rule()
    def the_recorder_is_stopped_and_started(self) -> None:
        self.run.stop()
        self.run.until_done(self.run.opened)

    @rule()
    def the_recorder_is_killed(self) -> None:
        self.run.die()

    @rule(after=st.integers(1, 25), stored=st.booleans(), dies=st.booleans())
    def the_disk_is_about_to_fail(self, after: int, stored: bool, dies: bool) -> None:
        disk = self.run.disk
        disk.kind, disk.at, disk.stored = ANY, disk.calls[ANY] + after, stored
        self.run.dies = dies

    @rule()
    def the_catalogue_is_made_again(self) -> None:
        self.run.stop()
        self.run.until_done(lambda: rebuild(self.run.home, ORIGIN, SECRET, disk=self.run.disk))

    def teardown(self) -> None:
        disk = self.run.disk
        self.run.until_done(self.run.opened)
        disk.at = 0
        self.run.stop()
        disk.cut_power(self.run.home.record)
        check(self.run)
        self.require_proofs()
        self.scratch.cleanup()

    def require_proofs(self) -> None:
        """Every checkpoint that was given is a beginning of the ledger, and its last entry is still proved."""
        size = read((self.run.home.ledger / "checkpoint").read_text()).size
        now = TileReader(self.run.home.ledger, size)
        for old_size, old_root, leaf, proof in self.given:
            verify_consistency(old_size, size, old_root, now.root(), now.consistency(old_size))
            verify_inclusion(leaf, old_size - 1, old_size, proof, old_root)
            assert now.hash(0, old_size - 1) == leaf
        hashes = [now.hash(0, index) for index in range(size)]
        assert naive_root(hashes) == now.root()


TestRecord: Any = RecordModel.TestCase
TestRecord.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)
