"""The parts of a message that have no parts of their own, by the fast parser or by the patient one.

The patient parser is the standard library's with the oldest policy, which repairs what it can; it has no bound on its
time and is run in a worker only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import fast_mail_parser
import msgspec

MOST_LEAVES = 2_000
MOST_HEADERS = 1_000
MAX_VALUE_CHARACTERS = 16_384
_SPACE = re.compile(r"[\r\n\t ]+")


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """One part: `type` in lower case, `content_type` as the header says, `data` decoded."""

    type: str = "text/plain"
    content_type: str = ""
    name: str = ""
    disposition: str = ""
    content_id: str = ""
    data: bytes = b""


class Leaves(msgspec.Struct, frozen=True):
    """A message, taken apart; `headers` are its own, decoded and unfolded."""

    headers: tuple[tuple[str, str], ...]
    leaves: tuple[Leaf, ...]
    defects: tuple[str, ...]


class NotParsed(Exception):
    """No parser, or not this one, reads the bytes; the text is a defect's name."""


def fast_leaves(raw: bytes) -> Leaves:
    """Return the parts of a message.

    Raises: NotParsed when the parser refuses the message or one of its parts.
    """
    try:
        root = fast_mail_parser.parse_email_tree(raw, mode="lazy")
        defects: list[str] = []
        leaves = tuple(_fast(root, defects))
        pairs = ((name, value) for name, values in root.headers.items() for value in values)
        return Leaves(tidy(pairs, defects), leaves, tuple(defects))
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # the parser's panics are no Exception
        raise NotParsed(f"parser: {type(error).__name__}") from None


def _fast(root: fast_mail_parser.PyLazyMimePart, defects: list[str]) -> Iterator[Leaf]:
    stack, count = [root], 0
    while stack:
        node = stack.pop()
        if node.children and not node.is_message:
            stack.extend(reversed(node.children))
            continue
        count += 1
        if count > MOST_LEAVES:
            defects.append(f"more than {MOST_LEAVES:,} parts: the rest is left out")
            return
        yield Leaf(
            type=node.content_type.lower(),
            content_type=next(iter(_values(node.headers, "content-type")), ""),
            name=clean(node.filename),
            disposition=(node.disposition or "").lower(),
            content_id=node.content_id or "",
            data=node.content or b"",
        )


def _values(headers: dict[str, list[str]], name: str) -> list[str]:
    return next((values for found, values in headers.items() if found.lower() == name), [])


def tidy(pairs: Iterator[tuple[str, str]], defects: list[str]) -> tuple[tuple[str, str], ...]:
    """Return header fields unfolded, each at most MAX_VALUE_CHARACTERS long, at most MOST_HEADERS of them."""
    found: list[tuple[str, str]] = []
    for name, value in pairs:
        if len(found) == MOST_HEADERS:
            defects.append(f"more than {MOST_HEADERS:,} header fields: the rest is left out")
            break
        found.append((name, clean(value)[:MAX_VALUE_CHARACTERS]))
    return tuple(found)


def clean(text: str) -> str:
    """Return a header's text on one line, without what UTF-8 cannot write."""
    if not text.isprintable():
        text = _SPACE.sub(" ", text)
    text = text.strip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
