"""The parts of a message by the standard library's parser. It has no bound on time or memory: run it in a worker only.

Source: RFC 2047, RFC 2231 (by `email`, policy compat32).
"""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message

from muniment.answer.reading.charset import decoded
from muniment.answer.reading.leaves import MOST_LEAVES, Leaf, Leaves, clean, tidy


def patient_leaves(raw: bytes) -> Leaves:
    """Return the parts of a message; raises whatever the parser raises."""
    message = message_from_bytes(raw, policy=policy.compat32)
    defects: list[str] = []
    leaves = tuple(_leaves(message, defects))
    pairs = ((name, header_text(value)) for name, value in message.raw_items())
    return Leaves(tidy(pairs, defects), leaves, tuple(dict.fromkeys(defects)))


def _leaves(message: Message, defects: list[str]) -> Iterator[Leaf]:
    stack, count = [message], 0
    while stack:
        node = stack.pop()
        defects.extend(f"parser: {type(defect).__name__}" for defect in node.defects[:20])
        children = node.get_payload()
        is_message = node.get_content_maintype() == "message"
        if isinstance(children, list) and children and not is_message:
            stack.extend(child for child in reversed(children) if isinstance(child, Message))
            continue
        count += 1
        if count > MOST_LEAVES:
            defects.append(f"more than {MOST_LEAVES:,} parts: the rest is left out")
            return
        yield _leaf(node, children if is_message else None)


def _leaf(node: Message, inner: object) -> Leaf:
    if isinstance(inner, list) and inner:
        data = b"".join(each.as_bytes() for each in inner if isinstance(each, Message))
    else:
        payload = node.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
    return Leaf(
        type=node.get_content_type(),
        content_type=header_text(node.get("content-type", "")),
        name=clean(node.get_filename("") or ""),
        disposition=str(node.get_content_disposition() or ""),
        content_id=header_text(node.get("content-id", "")).strip("<> "),
        data=data,
    )


def header_text(value: object) -> str:
    """Return a header's value, its encoded words decoded."""
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
    except Exception:  # bad base64 within an encoded word: the value is shown as written
        return text
    return "".join(
        part if isinstance(part, str) else decoded(part, charset or "utf-8") for part, charset in parts
    )
