"""Sealing and opening the entry that holds an attachment: under a key that stands in the messages that name it.

Source: docs/formats/segment.md, "Attachments".
"""

from __future__ import annotations

from muniment.policy.errors import Missing, Tampered
from muniment.record import commitment, packing, seal
from muniment.record import leaf as leaves
from muniment.record.entry import Kind, Stream
from muniment.record.frame import Frame, parse_sections


def keys_of(key: bytes, salt: bytes) -> seal.SectionKey:
    """Return the section key of an attachment's entry from the attachment's key and the entry's salt."""
    return seal.section_key(key, b"", salt)


def seal_blob(data: bytes, key: bytes, salt: bytes, head: bytes, level: int) -> tuple[bytes, bytes]:
    """Return (content section, content commitment) of the entry that holds an attachment."""
    found = keys_of(key, salt)
    section = seal.close(found.key, seal.CONTENT, head, seal.pad(packing.pack(data, None, level=level)))
    return section, commitment.commit_bytes(found.commitment_seed, data)


def open_blob(frame: Frame, key: bytes) -> bytes:
    """Return the attachment that an entry holds, compared with the commitment in its leaf.

    Raises:
        Tampered: it does not open.
    """
    if not is_attachment(frame.leaf):
        raise Tampered(f"entry {frame.ledger_index} is no attachment; run muniment verify")
    sections, fields = parse_sections(frame.body), leaves.parse(frame.leaf)
    found = keys_of(key, sections.salt)
    sealed = seal.open_section(found.key, seal.CONTENT, frame.leaf[: leaves.HEAD], sections.content)
    data, _ = packing.unpack(seal.unpad(sealed), packing.MAX_FACE_BYTES)
    commitment.verify_bytes(found.commitment_seed, data, fields.content_commitment)
    return data


def is_attachment(leaf: bytes) -> bool:
    """Tell whether a leaf is that of an attachment's entry."""
    return leaf[4] == Kind.BLOB and int.from_bytes(leaf[28:30], "big") == Stream.MAIL_ATTACHMENT


def require_no_attachment(leaf: bytes) -> None:
    """Return when an entry is opened by its own keys.

    Raises:
        Missing: it is an attachment, which only a message opens that names it.
    """
    if is_attachment(leaf):
        raise Missing("this entry is an attachment; it is opened through a message that it came with")
