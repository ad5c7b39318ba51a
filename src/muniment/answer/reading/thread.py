"""What a subject says of a conversation: the words without the marks of replies, and whether there were any.

Source: RFC 5256 2.1 (base subject).
"""

from __future__ import annotations

import re

REPLY_DAYS = 60  # a reply that names no message belongs with its subject if that is no older
_LONGEST_SUBJECT = 998
_REPLY = re.compile(r"\s*(?:re|aw|sv|vs|antw|ynt|odp|fwd?|wg|tr|rv)\s*(?:\[\d{1,4}\])?\s*:\s*", re.IGNORECASE)
_LIST_TAG = re.compile(r"\s*\[[^\[\]]{1,40}\]\s*")


def base_subject(subject: str) -> tuple[str, bool]:
    """Return a subject without the marks of replies and forwards, folded; and whether it had any."""
    rest, is_reply = subject[:_LONGEST_SUBJECT], False
    while True:
        if found := _REPLY.match(rest):
            rest, is_reply = rest[found.end() :], True
        elif (found := _LIST_TAG.match(rest)) and rest[found.end() :].strip():
            rest = rest[found.end() :]
        else:
            return " ".join(rest.casefold().split()), is_reply
