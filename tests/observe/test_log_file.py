"""A log is read as it is or compressed, its hash is of the bytes on the disk, and half a file is no file. R-2.1-b."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from muniment.observe.log_file import ReadLog
from muniment.observe.postfix_log import Delivery
from muniment.policy.errors import Missing, Unavailable

LINE = (
    b"2026-11-25T10:00:01Z mx postfix/smtp[1]: 4D2F31A0B: to=<a@outside.example>, relay=b[192.0.2.1]:25, delay=1, "
    b"delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n"
)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_every_line_is_read_and_the_hash_is_of_the_file(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "mail.log.1"
    path.write_bytes(pack(LINE * 20_000))
    log = ReadLog(path)
    assert sum(isinstance(event, Delivery) for event in log.events()) == 20_000
    told = log.told()
    assert (told.name, told.lines, told.bytes) == ("mail.log.1", 20_000, path.stat().st_size)
    assert told.sha256 == sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_half_a_file_is_no_file(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "mail.log.1"
    path.write_bytes(pack(LINE * 100)[:-20])
    with pytest.raises(Unavailable, match="nothing was counted"):
        list(ReadLog(path).events())


def test_what_is_not_there_or_not_understood_is_said(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="is not there"):
        list(ReadLog(tmp_path / "mail.log").events())
    path = tmp_path / "mail.log.zst"
    path.write_bytes(zstandard.compress(LINE))
    with pytest.raises(Unavailable, match="uncompress it first"):
        list(ReadLog(path).events())
