"""An import takes everything, exactly, once; stopped at any moment it goes on. R-2.1-a, R-5.1-a."""

from __future__ import annotations

import json
import mailbox
import stat
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest

from muniment.observe import mail as mail_import
from muniment.observe.journal import Journal
from muniment.observe.mail import MailImport
from muniment.observe.sources import Shape
from muniment.policy.errors import BadInput, Conflict, Unavailable
from muniment.policy.shield import Shielding
from muniment.record.entry import Direction, Kind, Retention, Stream
from tests.observe.importing import SHARED, file_back, imported, run_import
from tests.observe.test_sources import MAIL, MAILDIR, MARK, tree
from tests.organisation import DOMAIN
from tests.record.recording import check_record, make_home, officer_view, recording
from tests.serve.letters import generated

LETTER = b"From: ann@training.example\r\nTo: bob@client.example\r\nSubject: %d\r\n\r\nHello\r\n"


def letters(root, count: int):
    return tree(root / "letters", {f"{number:04}.eml": LETTER % number for number in range(count)})


def test_a_tree_comes_back_byte_for_byte(tmp_path):
    home = make_home(tmp_path)
    files = {
        **MAILDIR,
        "old/all.mbox": MARK + MAIL + b"\n" + MARK + b"Content-Length: 3\n\nab\n" + b"\n\n\r\n",
        "old/empty": b"",
        "old/binary.eml": bytes(range(256)) * 20,
    }
    root = tree(tmp_path / "mail", files)
    with recording(home) as record:
        report = run_import(home, root, record)
    messages = imported(home)
    back = {name: file_back(messages, name.encode()) for name in files}
    passed_over = {"tmp/3.host", "dovecot-uidlist"}
    assert {name for name, data in files.items() if back[name] != data} == passed_over
    assert {str(each.path.relative_to(root)) for each in report.skipped} == passed_over
    assert report.failures == []
    assert (report.found, report.recorded) == (len(messages), len(messages)) == (9, 9)
    assert report.counts["as maildir"] == 4
    check_record(home)


def test_an_import_says_how_the_bytes_were_come_by(tmp_path):
    home = make_home(tmp_path)
    with recording(home) as record:
        run_import(home, letters(tmp_path, 1), record)
    with officer_view(home) as view:
        [row] = view.catalogue.rows("stream = ?", (Stream.MAIL_IMPORT,))
        opened = view.open(row.idx)
    assert (row.retention, opened.told.direction, row.kind) == (
        Retention.MAIL,
        Direction.OUTBOUND,
        Kind.RECORD,
    )
    [(meta, content)] = imported(home)
    assert content == LETTER % 0
    assert meta["header"]["subject"] == b"0"
    assert meta["origin"]["taken_as"] == "eml"


def test_the_same_bytes_are_an_observation(tmp_path):
    home = make_home(tmp_path)
    root = tree(tmp_path / "mail", {"1.eml": LETTER, "2.eml": LETTER, "3.eml": LETTER + b"more"})
    with recording(home) as record:
        report = run_import(home, root, record)
    assert (report.recorded, report.counts["duplicates"]) == (3, 1)
    assert [content for _, content in imported(home)] == [LETTER, LETTER, LETTER + b"more"]
    check_record(home)


class Stopping:
    """A recorder that is stopped at the nth batch, before or after it stored it."""

    def __init__(self, record, at: int, *, stored: bool) -> None:
        self.record, self.left, self.stored = record, at, stored

    def append(self, entries):
        self.left -= 1
        if self.left > 0:
            return self.record.append(entries)
        if self.stored:
            self.record.append(entries)
        raise Unavailable("stopped for the test")


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("stored", [False, True])
def test_a_stopped_import_goes_on_and_doubles_nothing_unmarked(tmp_path, at, stored):
    home, root = make_home(tmp_path), letters(tmp_path, 150)
    with recording(home) as record:
        with pytest.raises(Unavailable):
            run_import(home, root, Stopping(record, at, stored=stored))
        report = run_import(home, root, record)
    assert (report.found, report.recorded, report.counts["messages"]) == (150, 150, 150)
    twice = min(64, 150 - 64 * (at - 1)) if stored else 0
    assert report.counts["duplicates"] == twice
    times = Counter(content for _, content in imported(home))
    assert set(times) == {LETTER % number for number in range(150)}
    assert sum(times.values()) == 150 + twice
    with officer_view(home) as view:
        assert (
            len(view.catalogue.rows("stream = ? AND kind = ?", (Stream.MAIL_IMPORT, Kind.OBSERVATION)))
            == twice
        )
    check_record(home)


def test_a_finished_import_run_again_takes_only_what_is_new_or_changed(tmp_path):
    home, root = make_home(tmp_path), letters(tmp_path, 3)
    with recording(home) as record:
        run_import(home, root, record)
        tree(root, {"new.eml": LETTER + b"new", "0001.eml": LETTER + b"changed"})
        report = run_import(home, root, record)
    assert (report.found, report.recorded, report.counts["messages"]) == (4, 4, 5)
    assert len(imported(home)) == 5


def test_a_journal_cut_short_is_read_up_to_its_last_whole_line(tmp_path):
    home, root = make_home(tmp_path), letters(tmp_path, 70)
    with recording(home) as record:
        run_import(home, root, record)
    [path] = (home.path / "import").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[3][:-5])
    with Journal(path) as journal:
        assert (len(journal.done), journal.counts["messages"]) == (64, 64)
    assert path.read_bytes() == b"".join(lines[:2])


def test_the_journal_names_nobody_and_is_closed_to_others(tmp_path):
    home, root = make_home(tmp_path), letters(tmp_path, 3)
    with recording(home) as record:
        run_import(home, root, record)
    [path] = (home.path / "import").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for line in path.read_text().splitlines():
        assert not {"eml", "letters", "ann"} & set(json.loads(line))
    assert b"letters" not in path.read_bytes()
    assert b".eml" not in path.read_bytes()


def test_an_import_runs_once_at_a_time(tmp_path):
    with Journal(tmp_path / "import" / "x.jsonl"), pytest.raises(Conflict):
        Journal(tmp_path / "import" / "x.jsonl")


@pytest.mark.parametrize(
    "content", [b"{}\n", b"[1]\n", b'{"format":2}\n', b'{"format":1}\n{"more":1}\n', b"\xff\n"]
)
def test_a_foreign_journal_is_bad_input(tmp_path, content):
    path = tree(tmp_path, {"import/x.jsonl": content}) / "import" / "x.jsonl"
    with pytest.raises(BadInput):
        Journal(path)


def test_a_file_that_fails_while_read_is_named_and_the_rest_imported(tmp_path, monkeypatch):
    home, root = make_home(tmp_path), letters(tmp_path, 3)
    genuine = mail_import.read

    def read(source, base):
        if source.path.name == "0001.eml":
            raise OSError(5, "Input/output error")
        return genuine(source, base)

    monkeypatch.setattr(mail_import, "read", read)
    with recording(home) as record:
        report = run_import(home, root, record)
    assert [(each.path.name, each.why) for each in report.failures] == [("0001.eml", "Input/output error")]
    assert report.recorded == 2


def test_a_large_mbox_is_mapped_and_cut_into_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(mail_import, "MAPPED_BYTES", 10)
    monkeypatch.setattr(mail_import, "BATCH_BYTES", 1000)
    home, path = make_home(tmp_path), tmp_path / "all.mbox"
    box = mailbox.mbox(path)
    for number in range(40):
        message = EmailMessage()
        message["From"] = "ann@training.example"
        message["Subject"] = f"Number {number}"
        message.set_content("From the office\n" * number)
        box.add(message)
    box.close()
    with recording(home) as record:
        report = run_import(home, path, record)
    assert report.counts["as mbox"] == 40
    assert file_back(imported(home), b"all.mbox") == path.read_bytes()


@pytest.fixture
def collections(tmp_path) -> Path:
    """Return the collections of real mail when they lie beside the project, else a folder of messages of our own."""
    if (SHARED / "mail").is_dir():
        return SHARED / "mail"
    folder = tmp_path / "collections"
    folder.mkdir()
    for number, letter in enumerate(generated()):
        (folder / f"{number}.eml").write_bytes(letter)
    return folder


def test_every_file_of_the_collections_comes_back_byte_for_byte(tmp_path, collections):
    root = collections
    home = make_home(tmp_path)
    with recording(home) as record:
        report = run_import(home, root, record, Shape.AUTO)
    assert report.skipped == []
    assert report.found == report.recorded == report.counts["messages"] == report.checked
    messages = imported(home)
    assert len(messages) == report.found
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) > 10
    parts: dict[bytes, list] = {}
    for meta, content in messages:
        parts.setdefault(meta["origin"]["path"], []).append((meta, content))
    for path in files:
        name = bytes(path.relative_to(root))
        assert file_back(parts[name], name) == path.read_bytes()
    check_record(home)


def test_a_message_in_a_private_folder_or_of_a_protected_domain_is_shielded(tmp_path: Path) -> None:
    root = tmp_path / "mail"
    for name, sender in (
        ("inbox", "a@b.example"),
        ("Private", "c@d.example"),
        ("work", "rep@unison.example"),
    ):
        (root / name).mkdir(parents=True)
        (root / name / "1.eml").write_bytes(
            f"From: {sender}\r\nTo: x@{DOMAIN}\r\nSubject: y\r\n\r\n{name}\r\n".encode()
        )
    home = make_home(tmp_path)
    with recording(home) as record:
        shielding = Shielding([("unison.example", "union")])
        work = MailImport(root, Shape.AUTO, Retention.MAIL, frozenset({DOMAIN}), shielding)
        with Journal(tmp_path / "journal") as journal:
            assert sum(work.run(record, journal)) == 3
        record.publish()
    with officer_view(home) as view:
        rows = view.catalogue.rows("stream = ?", (Stream.MAIL_IMPORT,))
        kinds = {view.open(row.idx).content.split()[-1]: view.open(row.idx).shielded for row in rows}
    assert kinds == {b"inbox": "", b"Private": "private", b"work": "union"}
