"""Who outside the organisation confirms that the record only grows.

The witness policy is text of the C2SP form; what its lines mean is checked by `muniment.record.witnessed.settings`.
Source: R-2.1-b.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from .reserved import is_harmless_host
from .shape import About, Mistake

_CLAUSE = "R-2.1-b"


class WitnessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The witnesses, how many of them are enough, and whether officers get each day's checkpoint by mail."""

    policy: Annotated[
        str,
        About(
            "witnesses and how many are enough, as lines of a C2SP tlog-policy; empty for none",
            _CLAUSE,
            '"witness union union.example+1b2c3d4e+BPVl… http://union.example:8920/\\nquorum union"',
        ),
    ] = ""
    mail: Annotated[bool, About("officers get each day's checkpoint by mail", _CLAUSE, "true")] = False


def witness_mistakes(witness: WitnessSettings) -> Iterator[Mistake]:
    """Yield what can be seen to be wrong without reading the keys."""
    words = [line.split() for line in witness.policy.splitlines()]
    if witness.policy and not any(line[:1] == ["quorum"] for line in words):
        yield Mistake(
            "witness.policy", _CLAUSE, "names no quorum", "End it with a line, for instance: quorum union"
        )


def url_mistake(url: str, *, example: bool) -> str:
    """Return why a witness or an authority cannot be reached at `url`; empty when it can."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        return f"{url[:80]!r} is no http or https address"
    if example and not is_harmless_host(parts.hostname):
        return f"{parts.hostname} is out in the world, and this is an example organisation"
    return ""
