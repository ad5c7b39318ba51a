"""Every write of a publication broken twice, and the log put together from what is left."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from muniment.policy.errors import Conflict, Tampered, Unavailable
from muniment.record.disk import Disk
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.merkle import EMPTY_ROOT, verify_consistency
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.publisher import CHECKPOINT_FILE, STAGING_FOLDER, CheckpointLock, Publisher
from muniment.record.ledger.staging import staged_size
from muniment.record.ledger.tiles import TileReader
from tests.record.faulty import ANY, FaultyDisk

from .shared import ENTRIES, HASHES, ORIGIN, Lock, leaves_of, log_signer, root_of


def publisher(folder: Path, lock: CheckpointLock, disk: Disk | None = None) -> Publisher:
    return Publisher(folder, log_signer(), lock, disk)


def advance(log: Publisher, start: int, end: int) -> bytes:
    return log.publish(end, root_of(end), ENTRIES[start:end], HASHES[start:end])


def check_log(folder: Path, lock: Lock) -> int:
    """Re-verify the whole log: lock, published checkpoint, every file, every leaf; return its size."""
    note = (folder / CHECKPOINT_FILE).read_bytes()
    assert note == lock.value
    checkpoint = open_checkpoint(note, ORIGIN, [log_signer().key])
    assert checkpoint.root == root_of(checkpoint.size)
    reader = TileReader(folder, checkpoint.size)
    assert reader.root() == checkpoint.root
    assert leaves_of(reader) == ENTRIES[: checkpoint.size]
    staged = [staged_size(file.name) for file in (folder / STAGING_FOLDER).iterdir()]
    assert all(size > checkpoint.size for size in staged)
    return checkpoint.size


def test_a_log_grows_from_checkpoint_to_checkpoint(tmp_path: Path) -> None:
    lock, last = Lock(), 0
    log = publisher(tmp_path, lock)
    assert log.recover() == 0
    for size in (0, 1, 2, 255, 256, 257, 300):
        note = advance(log, last, size)
        assert log.size == check_log(tmp_path, lock) == size
        assert note == lock.value
        last = size
    assert advance(log, 300, 300) == lock.value


def test_a_publication_needs_the_root_and_size_that_the_record_has(tmp_path: Path) -> None:
    lock = Lock()
    log = publisher(tmp_path, lock)
    with pytest.raises(Unavailable):
        advance(log, 0, 10)
    for size, root in ((10, root_of(9)), (9, root_of(10)), (11, root_of(11))):
        log.recover()
        with pytest.raises(Tampered):
            log.publish(size, root, ENTRIES[:10])
        with pytest.raises(Unavailable):
            log.publish(10, root_of(10), ENTRIES[:10])
    log.recover()
    log.publish(10, root_of(10), ENTRIES[:10])
    assert check_log(tmp_path, lock) == 10


STARTS = {"the first leaves": (0, 5), "within a tile": (5, 9), "over a full tile": (250, 300)}


def prepare(folder: Path, size: int) -> Lock:
    lock = Lock()
    log = publisher(folder, lock)
    log.recover()
    if size:
        advance(log, 0, size)
    return lock


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize("story", STARTS)
def test_every_write_may_fail_and_the_log_recovers(tmp_path: Path, story: str, stored: bool) -> None:
    start, end = STARTS[story]
    counting = FaultyDisk()
    lock = prepare(tmp_path / "count", start)
    log = publisher(tmp_path / "count", lock, counting)
    log.recover()
    advance(log, start, end)
    assert counting.calls[ANY] >= 5
    for number in range(1, counting.calls[ANY] + 1):
        folder = tmp_path / str(number)
        lock = prepare(folder, start)
        broken = publisher(folder, lock, FaultyDisk(ANY, number, stored=stored))
        broken.recover()
        with pytest.raises(Unavailable):
            advance(broken, start, end)
        with pytest.raises(Unavailable):
            advance(broken, start, end)
        restarted = publisher(folder, lock)
        size = restarted.recover()
        assert size in (start, end)
        if size:
            assert check_log(folder, lock) == size
        advance(restarted, size, end)
        assert check_log(folder, lock) == end


@pytest.mark.parametrize("fails", ["not stored", "stored"])
def test_the_swap_may_fail_and_the_log_recovers(tmp_path: Path, fails: str) -> None:
    lock = prepare(tmp_path, 5)
    log = publisher(tmp_path, lock)
    log.recover()
    lock.fails = fails
    with pytest.raises(OSError, match="swap failed"):
        advance(log, 5, 9)
    lock.fails = None
    restarted = publisher(tmp_path, lock)
    assert restarted.recover() == check_log(tmp_path, lock) == (9 if fails == "stored" else 5)
    # Nobody saw the checkpoint that was not stored: the log may go another way.
    size = restarted.size
    advance(restarted, size, 12)
    assert check_log(tmp_path, lock) == 12
    assert not list((tmp_path / STAGING_FOLDER).iterdir())


def test_a_swap_that_failed_and_turns_out_to_be_stored_later_is_brought_up(tmp_path: Path) -> None:
    """SQLite reads the commit of a failed flush from its log at the next start."""
    lock = prepare(tmp_path, 5)
    log = publisher(tmp_path, lock)
    log.recover()
    lock.fails = "not stored"
    with pytest.raises(OSError, match="swap failed"):
        advance(log, 5, 9)
    lock.fails = None
    assert log.recover() == 5
    lock.value = Checkpoint(ORIGIN, 9, root_of(9)).sign(log_signer())
    assert publisher(tmp_path, lock).recover() == check_log(tmp_path, lock) == 9


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
def test_recovery_itself_may_fail_at_every_write_and_be_repeated(tmp_path: Path, stored: bool) -> None:
    def crashed(folder: Path) -> Lock:
        lock = prepare(folder, 250)
        log = publisher(folder, lock)
        log.recover()
        lock.fails = "stored"
        with pytest.raises(OSError, match="swap failed"):
            advance(log, 250, 300)
        lock.fails = None
        return lock

    counting = FaultyDisk()
    publisher(tmp_path / "count", crashed(tmp_path / "count"), counting).recover()
    assert counting.calls[ANY] >= 5
    for number in range(1, counting.calls[ANY] + 1):
        folder = tmp_path / str(number)
        lock = crashed(folder)
        with pytest.raises(Unavailable):
            publisher(folder, lock, FaultyDisk(ANY, number, stored=stored)).recover()
        assert publisher(folder, lock).recover() == check_log(folder, lock) == 300


def test_two_writers_do_not_fork_the_log(tmp_path: Path) -> None:
    lock = prepare(tmp_path, 5)
    first, second = publisher(tmp_path, lock), publisher(tmp_path, lock)
    first.recover()
    second.recover()
    advance(first, 5, 9)
    other = [*ENTRIES[:5], b"another"]
    with pytest.raises((Conflict, Tampered)):
        second.publish(6, root_of(6), other[5:])
    with pytest.raises(Unavailable):
        advance(second, 5, 6)
    assert second.recover() == check_log(tmp_path, lock) == 9


def test_a_writer_that_lost_the_race_is_told(tmp_path: Path) -> None:
    class Raced(Lock):
        def swap(self, old: bytes, new: bytes) -> None:
            self.value = Checkpoint(ORIGIN, 6, root_of(6)).sign(log_signer())
            super().swap(old, new)

    lock = Raced(prepare(tmp_path, 5).value)
    log = publisher(tmp_path, lock)
    log.recover()
    with pytest.raises(Conflict):
        advance(log, 5, 9)


def test_yesterdays_database_is_named(tmp_path: Path) -> None:
    lock = prepare(tmp_path, 5)
    yesterday = lock.value
    log = publisher(tmp_path, lock)
    log.recover()
    advance(log, 5, 9)
    for old in (yesterday, b""):
        with pytest.raises(Tampered, match=r"database"):
            publisher(tmp_path, Lock(old)).recover()


def test_yesterdays_folder_is_named(tmp_path: Path) -> None:
    lock = prepare(tmp_path / "log", 5)
    shutil.copytree(tmp_path / "log", tmp_path / "yesterday")
    log = publisher(tmp_path / "log", lock)
    log.recover()
    advance(log, 5, 9)
    with pytest.raises(Tampered, match="ledger's folder"):
        publisher(tmp_path / "yesterday", lock).recover()


def test_a_checkpoint_by_another_key_is_named(tmp_path: Path) -> None:
    lock = prepare(tmp_path, 5)
    forged = Checkpoint(ORIGIN, 5, root_of(5)).sign(Ed25519Signer(ORIGIN, bytes(32)))
    with pytest.raises(Tampered, match="in the lock"):
        publisher(tmp_path, Lock(forged)).recover()
    (tmp_path / CHECKPOINT_FILE).write_bytes(forged)
    with pytest.raises(Tampered, match="in the published file"):
        publisher(tmp_path, lock).recover()


def test_a_fork_of_the_same_size_is_named(tmp_path: Path) -> None:
    lock = prepare(tmp_path, 5)
    (tmp_path / CHECKPOINT_FILE).write_bytes(Checkpoint(ORIGIN, 5, bytes(32)).sign(log_signer()))
    with pytest.raises(Tampered, match="forked"):
        publisher(tmp_path, lock).recover()


def test_an_older_checkpoint_of_another_history_is_named(tmp_path: Path) -> None:
    lock = prepare(tmp_path, 5)
    log = publisher(tmp_path, lock)
    log.recover()
    lock.fails = "stored"
    with pytest.raises(OSError, match="swap failed"):
        advance(log, 5, 9)
    (tmp_path / CHECKPOINT_FILE).write_bytes(Checkpoint(ORIGIN, 4, bytes(32)).sign(log_signer()))
    with pytest.raises(Tampered, match="not the beginning"):
        publisher(tmp_path, lock).recover()


@pytest.mark.parametrize("name", ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"])
def test_a_flipped_bit_at_the_right_edge_is_seen_at_the_start(tmp_path: Path, name: str) -> None:
    lock = prepare(tmp_path, 300)
    data = bytearray((tmp_path / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Tampered):
        publisher(tmp_path, lock).recover()


def test_a_damaged_staging_file_is_refused(tmp_path: Path) -> None:
    lock = prepare(tmp_path, 5)
    log = publisher(tmp_path, lock)
    log.recover()
    lock.fails = "stored"
    with pytest.raises(OSError, match="swap failed"):
        advance(log, 5, 9)
    (staged,) = (tmp_path / STAGING_FOLDER).iterdir()
    good = staged.read_bytes()
    for place in range(0, len(good), 37):
        bad = bytearray(good)
        bad[place] ^= 1
        staged.write_bytes(bad)
        with pytest.raises(Tampered):
            publisher(tmp_path, lock).recover()
    staged.write_bytes(good)
    assert publisher(tmp_path, lock).recover() == check_log(tmp_path, lock) == 9


def test_the_empty_log_has_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    lock = Lock()
    log = publisher(tmp_path, lock)
    log.recover()
    note = log.publish(0, EMPTY_ROOT, [])
    assert open_checkpoint(note, ORIGIN, [log_signer().key]) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert publisher(tmp_path, lock).recover() == 0


def test_any_two_checkpoints_of_a_log_are_consistent(tmp_path: Path) -> None:
    lock, last, log = Lock(), 0, publisher(tmp_path, Lock())
    log = publisher(tmp_path, lock)
    log.recover()
    sizes = [1, 3, 200, 256, 280, 300]
    for size in sizes:
        advance(log, last, size)
        last = size
    reader = TileReader(tmp_path, 300)
    for old in sizes:
        verify_consistency(old, 300, root_of(old), root_of(300), reader.consistency(old))
