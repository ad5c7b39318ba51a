"""Hands messages out: a bag of originals with proofs, a page, a statement, and a program to check it all.

The same messages, checkpoint, permit and statement give the same bytes. With a recipient's age key the bag goes
straight into encryption and never lies on a disk in the clear. Source: docs/formats/pack.md; RFC 8493; R-5.4-c.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyrage

from muniment.answer import pack_pages as pages
from muniment.answer.pack_about import PackAbout
from muniment.answer.pack_bag import Bag
from muniment.answer.pack_message import PackMessage
from muniment.answer.reading.extracted import Extracted
from muniment.answer.reading.letter import read_letter
from muniment.policy.errors import BadInput, Unavailable

MOST_MESSAGES = 9_999
Extract = Callable[[str, str, bytes], Extracted]
_JSON = msgspec.json.Encoder(order="sorted")


class PackMade(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that lies on disk; `manifest_sha256` is of its list of hashes, and stands in the record's disclosure."""

    path: Path
    manifest_sha256: str
    entries: int
    size_bytes: int


def build_pack(
    target: Path,
    messages: Iterable[PackMessage],
    about: PackAbout,
    *,
    age_recipient: str = "",
    extract: Extract | None = None,
) -> PackMade:
    """Write a pack to `target` (which is there whole, or not at all) and return what it is.

    `messages` are taken one at a time. With `age_recipient` (`age1…` or an SSH public key) the file is encrypted to it.
    With `extract` the text of attachments is added.

    Raises: BadInput when there are no messages or too many, or the recipient is none. Unavailable: the disk is full.
    """
    recipient = parse_recipient(age_recipient) if age_recipient else None
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            with _encrypted(file, recipient) if recipient else _plain(file) as write:
                manifest, count = _write(Bag(about.name, write), messages, about, extract)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise Unavailable(f"the pack cannot be written: {error.strerror}. Make room and try again") from error
    finally:
        part.unlink(missing_ok=True)
    return PackMade(path=target, manifest_sha256=manifest, entries=count, size_bytes=target.stat().st_size)


def parse_recipient(text: str) -> pyrage.x25519.Recipient | pyrage.ssh.Recipient:
    """Return an age recipient.

    Raises: BadInput when the text is none.
    """
    try:
        kind = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
        return kind.from_str(text.strip())
    except pyrage.RecipientError:
        raise BadInput(
            f"{text[:20]!r} is no key a pack can be encrypted to. Ask the recipient for a key that begins with age1, "
            "ssh-ed25519 or ssh-rsa"
        ) from None


def _write(
    bag: Bag, messages: Iterable[PackMessage], about: PackAbout, extract: Extract | None
) -> tuple[str, int]:
    lines: list[pages.Line] = []
    for message in messages:
        if len(lines) == MOST_MESSAGES:
            raise BadInput(
                f"a pack holds at most {MOST_MESSAGES:,} messages. Choose fewer, and make several packs"
            )
        lines.append(_add(bag, f"{len(lines) + 1:04}", message, extract))
    if not lines:
        raise BadInput("no message was chosen. Choose at least one")
    for name, data in pages.permit_files(about):
        bag.add(f"permit/{name}", data)
    bag.add("index.html", pages.index(about, lines))
    bag.add("statement.txt", pages.statement_text(about, lines))
    bag.add("statement.html", pages.statement_html(about, lines))
    bag.add_tag("VERIFY.txt", pages.how_to_verify(about))
    bag.add_tag("verify.py", verifier())
    return bag.finish(about.bag_info(), about.made_ms), len(lines)


def _add(bag: Bag, folder: str, message: PackMessage, extract: Extract | None) -> pages.Line:
    """Write the files of one message; return its line on the page."""
    letter = read_letter(message.content)
    bag.add(f"{folder}/message.eml", message.content)
    if message.sent is not None:
        bag.add(f"{folder}/as-sent.eml", message.sent)
    bag.add(f"{folder}/message.txt", pages.message_text(message, letter))
    bag.add(f"{folder}/entry.json", _JSON.encode(message.entry))
    bag.add(f"{folder}/disclosure.json", _JSON.encode(message.disclosure))
    for number, each in enumerate(letter.attachments if extract else (), start=1):
        assert extract is not None
        found = extract(each.name, each.type, each.data)
        bag.add(f"{folder}/attachment-{number:02}.txt", pages.attachment_text(each, found))
    return pages.line_of(folder, message, letter)


def verifier() -> bytes:
    """Return the program that checks a pack, one file; it is shipped beside us and never imported."""
    spec = find_spec("muniment_verify")
    if spec is None or spec.origin is None:
        raise Unavailable("the verifier (muniment_verify) is not installed. Install Muniment again, whole")
    return Path(spec.origin).read_bytes()


@contextmanager
def _plain(file: BinaryIO) -> Iterator[Callable[[bytes], object]]:
    yield file.write


@contextmanager
def _encrypted(
    file: BinaryIO, recipient: pyrage.x25519.Recipient | pyrage.ssh.Recipient
) -> Iterator[Callable[[bytes], object]]:
    """Yield what writes into encryption; a thread takes the bytes out of a pipe and encrypts them into the file."""
    read_end, write_end = os.pipe()
    failed: list[BaseException] = []

    def encrypt() -> None:
        try:
            with os.fdopen(read_end, "rb") as reader:
                pyrage.encrypt_io(reader, file, [recipient])
        except BaseException as error:  # told to the writer, who waits for this thread
            failed.append(error)

    thread = threading.Thread(target=encrypt, name="encrypt")
    thread.start()
    try:
        with os.fdopen(write_end, "wb", buffering=1 << 16) as writer:
            yield writer.write
    finally:
        thread.join()
    if failed:
        raise Unavailable(f"the pack cannot be encrypted: {failed[0]}") from failed[0]
