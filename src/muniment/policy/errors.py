"""The few kinds of error, told apart by what the caller can do about them.

The exit code, HTTP status and SMTP reply belong to the kind; a subclass exists only where someone catches it.
"""

from __future__ import annotations

from typing import ClassVar


class MunimentError(Exception):
    """Base of every error a user sees. The message says what was found, what was expected and what to do next."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    smtp_reply: ClassVar[str] = "451 4.3.0"


class BadInput(MunimentError):
    """What was given does not have the form it must have."""

    exit_code = 2
    http_status = 400
    smtp_reply = "554 5.6.0"


class Refused(MunimentError):
    """A rule of the policy says no; `clause` is the rule's requirement id, for instance `R-2.2-b`."""

    exit_code = 3
    http_status = 403
    smtp_reply = "550 5.7.1"

    def __init__(self, message: str, *, clause: str) -> None:
        super().__init__(f"{message} (clause {clause})")
        self.clause = clause


class Missing(MunimentError):
    """What was asked for is not there."""

    exit_code = 4
    http_status = 404
    smtp_reply = "550 5.1.1"


class Conflict(MunimentError):
    """What was asked for contradicts what already stands."""

    exit_code = 5
    http_status = 409


class Tampered(MunimentError):
    """Stored bytes are not what the ledger says they are."""

    exit_code = 6
    http_status = 500


class Unavailable(MunimentError):
    """A part that is needed does not answer, or cannot store now; the same request may succeed later."""

    exit_code = 7
    http_status = 503
    smtp_reply = "451 4.3.2"


def kind_of(exit_code: int) -> type[MunimentError]:
    """Return the kind of error a process means that ended with `exit_code`; Unavailable when it means no other."""
    kinds = {kind.exit_code: kind for kind in (BadInput, Missing, Conflict, Tampered)}
    return kinds.get(exit_code, Unavailable)
