"""The text of a file, or one of a few words for why there is none; and nothing a file can do to who reads it."""

from __future__ import annotations

import os
import signal
import threading
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.answer.reading import workers
from muniment.answer.reading.attachment import MAX_ATTACHMENT_BYTES, Extracted, Problem, text_of
from muniment.answer.reading.leaves import NotParsed
from tests.answer.reading import files
from tests.answer.reading.files import TEXT


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", files.docx()),
        ("a.pptx", files.pptx()),
        ("a.odt", files.odt()),
        ("a.xlsx", files.xlsx()),
        ("a.pdf", files.pdf()),
        ("a.rtf", files.rtf()),
        ("a.txt", TEXT.encode()),
        ("a.txt", TEXT.encode("utf-16")),
        ("a.csv", f"a,b\n{TEXT},2".encode()),
        ("a.html", f"<p>{TEXT[:12]}<b>{TEXT[12:]}</b>".encode()),
        ("a.eml", files.message(TEXT)),
        ("a.eml", files.message("x", ("b.docx", files.docx()))),
        ("a.zip", files.zipped({"x.txt": TEXT.encode()})),
        ("a.zip", files.zipped({"x.docx": files.docx()})),
        ("no-name", files.docx()),
        ("wrong.pdf", files.docx()),
    ],
)  # fmt: skip
def test_each_kind_of_file_gives_its_text(name: str, data: bytes) -> None:
    found = text_of(name, "application/octet-stream", data)
    assert TEXT in found.text
    assert found.problem is Problem.NONE


@pytest.mark.parametrize(
    ("name", "type", "data", "problem"),
    [
        ("scan.pdf", "", files.pdf(""), Problem.PICTURE),
        ("a.png", "image/png", b"\x89PNG\r\n\x1a\n", Problem.PICTURE),
        ("a.mp3", "audio/mpeg", b"ID3" + bytes(50), Problem.SOUND),
        ("a.zip", "", files.locked_zip(), Problem.ENCRYPTED),
        ("a.docx", "", files.locked_office(), Problem.ENCRYPTED),
        ("smime.p7m", "application/pkcs7-mime", b"0\x82" + bytes(50), Problem.ENCRYPTED),
        ("a.asc", "", b"-----BEGIN PGP MESSAGE-----\n\nabc", Problem.ENCRYPTED),
        ("a.bin", "", bytes(range(256)) * 10, Problem.UNKNOWN),
        ("a.pdf", "", b"%PDF-1.4 broken", Problem.DAMAGED),
        ("a.docx", "", files.docx()[:-30], Problem.DAMAGED),
        ("a.xlsx", "", b"PK\x03\x04broken", Problem.DAMAGED),
        ("bomb.zip", "", files.zipped({"a": bytes(300 << 20)}), Problem.BOMB),
        ("bomb.docx", "", files.zipped({"word/document.xml": b"<a>" + b" " * (60 << 20)}), Problem.BOMB),
        ("many.zip", "", files.zipped({f"{number}": b"" for number in range(3_000)}), Problem.BOMB),
        ("nested.zip", "", files.zipped({"b.zip": files.zipped({"c.txt": b"x"})}), Problem.PARTLY),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_named_by_a_word_of_the_list(
    name: str, type: str, data: bytes, problem: Problem
) -> None:
    assert text_of(name, type, data).problem is problem


def test_nothing_is_nothing() -> None:
    assert text_of("a.pdf", "application/pdf", b"") == Extracted()


def test_what_is_too_large_is_not_opened() -> None:
    assert text_of("a.txt", "text/plain", bytes(MAX_ATTACHMENT_BYTES + 1)).problem is Problem.TOO_LARGE


def test_entities_read_no_file_and_become_no_bomb() -> None:
    outside = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    found = text_of("a.docx", "", files.docx("a&x;b", extra=outside))
    assert "root:" not in found.text
    lol = "<!DOCTYPE d [<!ENTITY a0 'ha'>" + "".join(
        f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 9)
    )
    started = time.monotonic()
    text_of("a.docx", "", files.docx("&a8;", extra=lol + "]>"))
    assert time.monotonic() - started < 20


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(files.zipped({"a.txt": bytes(50 << 20)}))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    found = text_of("a.zip", "", bytes(data))
    assert found.problem in (Problem.DAMAGED, Problem.BOMB) or len(found.text) < 1000


def test_a_killed_worker_is_replaced_and_only_its_file_is_lost() -> None:
    pool = workers.Workers(1)
    try:
        assert pool.extract("a.txt", "", b"one", 10).text == "one"
        worker = pool._free.get()
        assert worker is not None
        os.kill(worker._process.pid, signal.SIGKILL)
        pool._free.put(worker)
        worker._process.wait()
        assert pool.extract("a.txt", "", b"two", 10).text == "two"
        stopped = pool._free.get()
        assert stopped is not None
        pool._free.put(stopped)
        killer = threading.Timer(0.3, os.kill, [stopped._process.pid, signal.SIGKILL])
        os.kill(stopped._process.pid, signal.SIGSTOP)
        killer.start()
        assert pool.extract("a.txt", "", b"three", 10).problem is Problem.CRASHED
        assert pool.extract("a.txt", "", b"four", 10).text == "four"
    finally:
        pool.close()


def test_a_file_that_takes_too_long_is_given_up() -> None:
    """It may use a second or two of a processor; the kernel ends it then."""
    pool = workers.Workers(1)
    try:
        endless = b"Subject: " + b"=?utf-8?q?a?= " * 4_000_000 + b"\r\n\r\nx"
        assert pool.extract("a.eml", "message/rfc822", endless, 0.1).problem is Problem.TOO_SLOW
        with pytest.raises(NotParsed, match="too slow"):
            pool.parse(endless, 0.1)
        assert pool.extract("a.txt", "", b"next", 10).text == "next"
    finally:
        pool.close()


def test_a_worker_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_SECONDS", 0.3)
    pool = workers.Workers(1)
    try:
        assert pool.extract("a.txt", "", b"one", 10).text == "one"
        worker = pool._free.get()
        assert worker is not None
        os.kill(worker._process.pid, signal.SIGSTOP)
        pool._free.put(worker)
        assert pool.extract("a.txt", "", b"two", 0.1).problem is Problem.TOO_SLOW
        assert pool.extract("a.txt", "", b"three", 10).text == "three"
    finally:
        pool.close()


def test_workers_serve_several_threads() -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(text_of("a.txt", "", b"text %d" % n).text))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == sorted(f"text {n}" for n in range(12))


def test_a_worker_reaches_no_network_and_writes_no_file(tmp_path: Path) -> None:
    """The fence is put up in a process of its own; each act is tried there."""
    import subprocess
    import sys

    program = """
import os, socket, sys
from muniment.answer.reading.worker import confine
confine()
for name, act in {
    "network": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "socket": lambda: socket.socket(socket.AF_INET),
    "file": lambda: open(sys.argv[1], "w").write("x"),
    "memory": lambda: bytearray(2 << 30),
}.items():
    try:
        act()
        print(name, "went through")
    except ConnectionRefusedError:
        print(name, "went through")
    except (OSError, MemoryError):
        pass
print("done")
"""
    place = tmp_path / "written"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(place)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    assert not place.exists()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        [files.docx(), files.pptx(), files.odt(), files.xlsx(), files.pdf(), files.rtf(), files.message()]
    ),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_damaged_file_gives_text_or_a_word(data: bytes, changes: list[tuple[int, int]]) -> None:
    bad = bytearray(data)
    for place, value in changes:
        bad[place % len(bad)] = value
    found = text_of("a", "", bytes(bad))
    assert isinstance(found.problem, Problem)
    found.text.encode("utf-8")


def test_a_stored_zip_is_read_as_a_packed_one() -> None:
    assert text_of("a.zip", "", files.zipped({"x.txt": b"hello"}, zipfile.ZIP_STORED)).text.endswith("hello")
