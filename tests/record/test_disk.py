from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from muniment.policy.errors import Conflict, Unavailable
from muniment.record.disk import Disk, FlushFailed

from .faulty import WRITES, FaultyDisk


def test_an_append_file_grows_and_knows_its_size(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "segment"
    file = Disk().append(path)
    file.write(b"one")
    file.write([b"two", b"", b"three"])
    file.write([b"x"] * 5000)
    file.flush()
    file.close()
    assert path.read_bytes() == b"onetwothree" + b"x" * 5000
    again = Disk().append(path)
    assert again.size == 5011
    again.write(b"torn")
    again.cut(5011)
    again.close()
    again.close()
    assert path.stat().st_size == 5011


def test_a_short_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.writev
    monkeypatch.setattr(os, "writev", lambda fd, parts: real(fd, [parts[0][:2]]))
    file = Disk().append(tmp_path / "segment")
    file.write([b"abcde", b"fgh"])
    file.close()
    assert (tmp_path / "segment").read_bytes() == b"abcdefgh"


def test_a_full_disk_is_unavailable_and_leaves_no_half_file(tmp_path: Path) -> None:
    """The kernel's own limit on file size plays the full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(Unavailable, match="File too large"):
            Disk().write_durable(tmp_path / "tile", bytes(20_000))
        with pytest.raises(Unavailable):
            Disk().create_durable(tmp_path / "tile", bytes(20_000))
        file = Disk().append(tmp_path / "segment")
        with pytest.raises(Unavailable):
            file.write([bytes(6_000)] * 2)
        assert file.size == 10_000
        file.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in tmp_path.iterdir()] == ["segment"]


def test_a_failed_flush_has_a_kind_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    monkeypatch.setattr(os, "fsync", fail)
    (tmp_path / "segment").write_bytes(b"zero")
    file = Disk().append(tmp_path / "segment")
    file.write(b"one")
    with pytest.raises(FlushFailed):
        file.flush()
    file.close()
    with pytest.raises(FlushFailed):
        Disk().write_durable(tmp_path / "tile", b"one")
    with pytest.raises(FlushFailed):
        Disk().create_durable(tmp_path / "tile", b"one")
    assert not (tmp_path / "tile").exists()


def test_a_durable_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "checkpoint"
    Disk().write_durable(path, b"old", mode=0o600)
    (path.parent / ".checkpoint.tmp").write_bytes(b"left by a crash")
    Disk().write_durable(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint"]


def test_a_created_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "tile"
    Disk().create_durable(path, b"first")
    Disk().create_durable(path, b"first")
    with pytest.raises(Conflict):
        Disk().create_durable(path, b"other")
    assert path.read_bytes() == b"first"
    assert [file.name for file in tmp_path.iterdir()] == ["tile"]


def test_files_move_and_go(tmp_path: Path) -> None:
    disk = Disk()
    disk.write_durable(tmp_path / "a" / "one", b"1")
    disk.move(tmp_path / "a" / "one", tmp_path / "quarantine" / "one")
    assert (tmp_path / "quarantine" / "one").read_bytes() == b"1"
    disk.remove(tmp_path / "quarantine" / "one")
    disk.remove(tmp_path / "quarantine" / "one")
    disk.remove_folder(tmp_path / "quarantine")
    disk.remove_folder(tmp_path / "quarantine")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(Unavailable, match="No such file"):
        disk.move(tmp_path / "gone", tmp_path / "b")


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize("kind", WRITES)
def test_the_faulty_disk_fails_once_as_asked(tmp_path: Path, kind: str, stored: bool) -> None:
    disk = FaultyDisk(kind, 1, stored=stored)
    segment = tmp_path / "segment"
    failures = 0

    def attempt(number: int) -> None:
        file = disk.append(segment)
        file.write(b"abcd")
        file.flush()
        file.cut(file.size)
        file.close()
        disk.write_durable(tmp_path / f"w{number}", b"1")
        disk.create_durable(tmp_path / f"c{number}", b"1")
        disk.move(tmp_path / f"w{number}", tmp_path / f"m{number}")
        disk.remove(tmp_path / f"m{number}")
        disk.make_folder(tmp_path / f"f{number}")
        disk.remove_folder(tmp_path / f"f{number}")

    for number in range(2):
        try:
            attempt(number)
        except Unavailable:
            failures += 1
    assert failures == 1
    if kind in ("write", "flush"):
        expected = {("write", False): 6, ("write", True): 8, ("flush", False): 4, ("flush", True): 8}
        assert segment.stat().st_size == expected[kind, stored]
