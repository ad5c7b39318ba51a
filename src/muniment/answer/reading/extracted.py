"""What came of an attempt to read a file: its text, and what stood in the way of more."""

from __future__ import annotations

from enum import StrEnum

import msgspec

MAX_TEXT_CHARACTERS = 8 << 20


class Problem(StrEnum):
    """Why an attachment, or a part of it, could not be searched."""

    NONE = ""
    ENCRYPTED = "encrypted"
    PICTURE = "picture"  # a picture, or pages that are pictures: nothing reads them here
    SOUND = "sound or film"
    UNKNOWN = "unknown kind"  # no reader for this kind of file
    DAMAGED = "damaged"
    TOO_LARGE = "too large"
    BOMB = "unpacks to too much"
    TOO_SLOW = "took too long"
    CRASHED = "its reader broke off"
    PARTLY = "only in part"


class Extracted(msgspec.Struct, frozen=True):
    """The text found, and what stood in the way of more."""

    text: str = ""
    problem: Problem = Problem.NONE
