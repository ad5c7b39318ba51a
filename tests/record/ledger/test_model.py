"""The log against its definition: publications, failures and restarts in any order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from muniment.policy.errors import Unavailable
from muniment.record.ledger.checkpoint import open_checkpoint
from muniment.record.ledger.merkle import verify_consistency, verify_inclusion
from muniment.record.ledger.publisher import Publisher
from muniment.record.ledger.tiles import TileReader
from tests.record.faulty import ANY, FaultyDisk

from .shared import ENTRIES, HASHES, ORIGIN, Lock, leaves_of, log_signer
from .test_merkle import naive_root

ROOTS = {size: naive_root(HASHES[:size]) for size in range(len(HASHES) + 1)}


class LogModel(RuleBasedStateMachine):
    """Every checkpoint that was answered or is published stays a beginning of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = Path(self.scratch.name)
        self.lock = Lock()
        self.seen = {0}
        self.restart()

    def restart(self) -> None:
        self.log = Publisher(self.folder, log_signer(), self.lock)
        self.size = self.log.recover()

    def publish(self, count: int) -> None:
        end = min(self.size + count, len(ENTRIES))
        self.log.publish(end, ROOTS[end], ENTRIES[self.size : end], HASHES[self.size : end])
        self.size = end

    @precondition(lambda self: self.size < len(ENTRIES))
    @rule(count=st.integers(min_value=1, max_value=130))
    def leaves_are_published(self, count: int) -> None:
        self.publish(count)

    @rule()
    def the_process_restarts(self) -> None:
        self.restart()

    @precondition(lambda self: self.size < len(ENTRIES))
    @rule(count=st.integers(min_value=1, max_value=130), at=st.integers(1, 9), stored=st.booleans())
    def a_publication_fails(self, count: int, at: int, stored: bool) -> None:
        disk = FaultyDisk(ANY, at, stored=stored)
        self.log = Publisher(self.folder, log_signer(), self.lock, disk)
        try:
            self.log.recover()
            self.publish(count)
        except Unavailable:
            assert disk.calls[ANY] >= at
        self.restart()

    @precondition(lambda self: self.size > 0)
    @rule(place=st.floats(min_value=0, max_value=0.999))
    def any_leaf_has_a_proof(self, place: float) -> None:
        index = int(place * self.size)
        proof = TileReader(self.folder, self.size).inclusion(index)
        verify_inclusion(HASHES[index], index, self.size, proof, ROOTS[self.size])

    @invariant()
    def the_log_is_its_definition(self) -> None:
        if not self.lock.value:
            return
        checkpoint = open_checkpoint(self.lock.value, ORIGIN, [log_signer().key])
        assert (checkpoint.size, checkpoint.root) == (self.size, ROOTS[self.size])
        reader = TileReader(self.folder, self.size)
        for old in self.seen - {0}:
            verify_consistency(old, self.size, ROOTS[old], checkpoint.root, reader.consistency(old))
        self.seen.add(self.size)
        assert leaves_of(reader) == ENTRIES[: self.size]
        assert reader.root() == checkpoint.root

    def teardown(self) -> None:
        self.scratch.cleanup()


TestLog: Any = LogModel.TestCase
TestLog.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
