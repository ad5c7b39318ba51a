"""The import of mail of the past: how fast, every file back byte for byte, and what it takes on the disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import zstandard
from tests.record.recording import officer_view
from tests.serve.house import house

from benchmarks.harness import Figure, Options, Peer, compared, rate, say, scratch, side_by_side, tree_bytes
from benchmarks.samples import messages
from benchmarks.seal import MAILPILER, notmuch_new, write_maildir
from muniment.observe.journal import Journal
from muniment.observe.mail import MailImport, Report, journal_path
from muniment.observe.sources import Shape
from muniment.policy.policyfile import load
from muniment.record.client import Recorder
from muniment.record.entry import Retention, Stream
from muniment.record.frame import parse_sections
from muniment.record.home import Home
from muniment.record.reading import read_frame
from muniment.record.unsealing import OfficerView

CIPHERTEXT_LIMIT, SEGMENTS_LIMIT, HOME_LIMIT = 0.29, 0.38, 0.50


def measure(options: Options) -> Iterator[Figure]:
    """Yield the figure of speed and the three of size."""
    with scratch(options) as folder:
        source = folder / "mail"
        if options.mail:
            shutil.copytree(options.mail, source)
        else:
            write_maildir(folder, list(messages(options.messages)))
        raw = tree_bytes(source)
        sizes: dict[str, float] = {}
        results = side_by_side(
            options,
            {
                "muniment": partial(import_all, source, sizes),
                "notmuch new, not flushed": partial(index_all, source, sizes),
            },
        )
        count = sum(1 for path in source.rglob("*") if path.is_file())
        what = f"{count:,} files, {raw:,} bytes of {options.mail or 'generated mail'}, every file back byte for byte"
        yield compared(results, name="imported", unit="messages/s", published=MAILPILER, note=what)
        yield from _sizes(raw, sizes, source)


def _sizes(raw: int, sizes: dict[str, float], source: Path) -> Iterator[Figure]:
    alone, together = compressed(source)
    peers = {
        "ciphertext": [
            Peer(name="zstd -3, every file by itself, in the clear", value=alone / raw),
            Peer(name="zstd -3, all files in one stream, in the clear", value=together / raw),
        ],
        "whole home": [Peer(name="notmuch: the mail and its index", value=(raw + sizes["index"]) / raw)],
    }
    for name, limit in (
        ("ciphertext", CIPHERTEXT_LIMIT),
        ("segments", SEGMENTS_LIMIT),
        ("whole home", HOME_LIMIT),
    ):
        yield Figure(
            name=f"import: {name}",
            unit="of raw",
            value=sizes[name] / raw,
            target=limit,
            is_limit=True,
            peers=peers.get(name, []),
        )


def import_all(source: Path, sizes: dict[str, float], folder: Path) -> float:
    """Import into a new home through a running recorder; return the messages a second; note what lies on the disk."""
    with house(folder, "recorder") as found:
        report, seconds = _import(found.home, source)
        assert report.recorded == report.found and not report.failures
    with officer_view(found.home) as view:
        _check_bytes(view, source, {str(skipped.path.relative_to(source)) for skipped in report.skipped})
        rows = view.catalogue.rows("stream IN (?, ?)", (Stream.MAIL_IMPORT, Stream.MAIL_ATTACHMENT))
        sizes["ciphertext"] = sum(
            len(parse_sections(read_frame(found.home, row).body).content) for row in rows
        )
    sizes["segments"] = tree_bytes(found.home.segments)
    sizes["whole home"] = tree_bytes(found.home.path)
    return report.found / seconds


def _import(home: Home, source: Path) -> tuple[Report, float]:
    domains = frozenset(load(home.policy_file).organisation.domains)
    work = MailImport(source, Shape.AUTO, Retention.MAIL, domains)
    path = journal_path(home.path, source, Shape.AUTO, Retention.MAIL)
    started = time.perf_counter()
    with Recorder(home.socket) as recorder, Journal(path) as journal:
        for _ in work.run(recorder, journal):
            pass
    return work.report, time.perf_counter() - started


def _check_bytes(view: OfficerView, source: Path, passed_over: set[str]) -> None:
    """Put every file together again from what was recorded and compare it with the file."""
    pieces: dict[str, list[tuple[int, bytes]]] = {}
    for row in view.catalogue.rows("stream = ?", (Stream.MAIL_IMPORT,)):
        opened = view.open(row.idx)
        origin = msgspec.msgpack.decode(opened.meta)["origin"]
        content = origin.get("postmark", b"") + opened.content + origin.get("separator", b"")
        pieces.setdefault(origin["path"].decode(), []).append((origin.get("offset", 0), content))
    for path in source.rglob("*"):
        name = str(path.relative_to(source))
        if path.is_file() and name not in passed_over:
            assert b"".join(piece for _, piece in sorted(pieces.pop(name))) == path.read_bytes(), name
    assert not pieces
    say("    every file came back byte for byte")


def index_all(source: Path, sizes: dict[str, float], folder: Path) -> float:
    """Return the files a second that `notmuch new` indexes."""
    shutil.copytree(source, folder / "mail")
    count = sum(1 for path in source.rglob("*") if path.is_file())
    result = rate(count, partial(notmuch_new, folder))
    sizes["index"] = tree_bytes(folder / "mail" / ".notmuch")
    return result


def compressed(source: Path) -> tuple[int, int]:
    """Return the bytes of all files compressed one by one, and in one stream, at zstandard's level 3."""
    files = [path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file()]
    one = zstandard.ZstdCompressor(level=3)
    return sum(len(one.compress(data)) for data in files), len(one.compress(b"".join(files)))
