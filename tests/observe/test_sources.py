"""Every file below a path is either imported or named."""

from __future__ import annotations

import os

import pytest

from muniment.observe.mail import read
from muniment.observe.sources import Shape, Skipped, Source, find

MARK = b"From ann@training.example Mon Nov  2 09:00:00 2026\n"
MAIL = b"Subject: x\n\nHello\n"


def tree(root, files: dict[str, bytes]):
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def taken(root, shape=Shape.AUTO) -> dict[str, str]:
    """Return what each path was taken as, or why it was not."""
    found = {}
    for each in find(root, shape):
        name = str(each.path.relative_to(root))
        assert name not in found
        found[name] = each.why if isinstance(each, Skipped) else next(iter(read(each, root))).shape.value
    return found


def test_every_file_of_a_tree_is_a_message(tmp_path):
    root = tree(
        tmp_path, {"a/1.eml": MAIL, "a/.hidden": b"x", "a/b/2.cats": b"1,2", "3": b"", "4.png": b"\x89PNG"}
    )
    assert taken(root) == dict.fromkeys(["a/1.eml", "a/.hidden", "a/b/2.cats", "3", "4.png"], "eml")


def test_an_mbox_is_told_by_its_postmarks_or_its_name(tmp_path):
    several = MARK + MAIL + b"\n" + MARK + MAIL
    root = tree(
        tmp_path,
        {
            "several": several,
            "one": MARK + MAIL,
            "one.mbox": MARK + MAIL,
            "mbox": MARK + MAIL,
            "fwd.eml": several,
        },
    )
    assert taken(root) == {
        "several": "mbox",
        "one": "eml",
        "one.mbox": "mbox",
        "mbox": "mbox",
        "fwd.eml": "eml",
    }
    assert set(taken(root, Shape.MBOX).values()) == {"mbox"}
    assert set(taken(root, Shape.EML).values()) == {"eml"}


MAILDIR = {
    "cur/1.host:2,RS": MAIL,
    "new/2.host": MARK + MAIL + b"\n" + MARK + MAIL,
    "tmp/3.host": MAIL,
    "dovecot-uidlist": b"3",
    ".Sent/cur/4": MAIL,
    ".Sent/new/.keep": b"",
    "notes/5": MAIL,
}


def test_a_maildir_gives_its_messages_and_names_the_rest(tmp_path):
    assert taken(tree(tmp_path, MAILDIR)) == {
        "cur/1.host:2,RS": "maildir",
        "new/2.host": "maildir",
        "tmp/3.host": "not yet delivered",
        "dovecot-uidlist": "not a message of this Maildir",
        ".Sent/cur/4": "maildir",
        ".Sent/new/.keep": "maildir",
        "notes/5": "eml",
    }
    assert taken(tmp_path, Shape.MAILDIR)["notes/5"] == "not in a Maildir"
    assert set(taken(tmp_path, Shape.EML).values()) == {"eml"}


def test_flags_and_folder_are_kept(tmp_path):
    messages = [
        m
        for s in find(tree(tmp_path, MAILDIR), Shape.AUTO)
        if isinstance(s, Source)
        for m in read(s, tmp_path)
    ]
    origin = next(m.origin for m in messages if m.origin["path"].startswith(b"cur/"))
    assert (origin["folder"], origin["flags"]) == ("cur", ["replied", "seen"])


def test_links_pipes_and_broken_paths_are_named(tmp_path):
    root = tree(tmp_path / "root", {"1.eml": MAIL})
    (root / "link.eml").symlink_to("1.eml")
    (root / "gone.eml").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    assert taken(root) == {
        "1.eml": "eml",
        "link.eml": "eml",
        "gone.eml": "No such file or directory",
        "loop": "Too many levels of symbolic links",
        "folder": "a link to a folder",
        "pipe": "neither a file nor a folder",
    }
    assert {
        each.path.name for each in find(root, Shape.AUTO) if isinstance(each, Skipped) and each.is_failure
    } == {
        "gone.eml",
        "loop",
    }


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    closed = tree(tmp_path, {"closed/1.eml": MAIL}) / "closed"
    listing = type(closed).iterdir

    def iterdir(path):
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(type(closed), "iterdir", iterdir)
    [found] = find(tmp_path, Shape.AUTO)
    assert found == Skipped(closed, "Permission denied", is_failure=True)


def test_a_deep_tree_is_walked(tmp_path):
    path = tmp_path
    for _ in range(1200):
        path = path / "d"
        path.mkdir()
    (path / "1.eml").write_bytes(MAIL)
    try:
        assert len(list(find(tmp_path, Shape.AUTO))) == 1
    finally:  # deeper than pytest's own clearing of old temporary folders can go
        (path / "1.eml").unlink()
        for folder in [path, *path.parents][:1200]:
            folder.rmdir()


def test_a_single_file_is_a_source(tmp_path):
    path = tree(tmp_path, {"1.eml": MAIL}) / "1.eml"
    assert list(find(path, Shape.AUTO)) == [Source(path, Shape.AUTO)]
    [message] = read(Source(path, Shape.AUTO), path)
    assert (message.content, message.origin["path"]) == (MAIL, b"1.eml")


@pytest.mark.parametrize("name", [b"caf\xe9.eml", b"line\nend", b"\xff\xfe"])
def test_names_of_any_bytes_are_kept(tmp_path, name):
    (tmp_path / os.fsdecode(name)).write_bytes(MAIL)
    [source] = find(tmp_path, Shape.AUTO)
    [message] = read(source, tmp_path)
    assert message.origin["path"] == name
