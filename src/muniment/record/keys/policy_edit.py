"""Writing a newcomer's key into muniment.toml: the lines of one table change, and nothing else. Pure.

Source: docs/formats/policy-file.md.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from muniment.policy.errors import BadInput, Missing

_HEADER = re.compile(r"^\s*\[")
_OFFICER = re.compile(r"^\s*\[\[\s*officers\s*\]\]")


def edit_officer(text: str, owner: str, values: Mapping[str, str]) -> str:
    """Return the policy text with some values of the table of the officer `owner` replaced.

    Raises:
        Missing: there is no such officer. BadInput: the table is written in a way that only a person can edit.
    """
    before = tomllib.loads(text)
    at = next((n for n, officer in enumerate(before.get("officers", [])) if officer.get("id") == owner), None)
    if at is None:
        known = ", ".join(str(officer.get("id")) for officer in before.get("officers", []))
        raise Missing(
            f"muniment.toml has no officer {owner!r}; its officers are {known}. Name one of them, or write the new "
            "[[officers]] table yourself and run this again without --request"
        )
    starts = [n for n, line in enumerate(text.split("\n")) if _OFFICER.match(line)]
    if len(starts) != len(before["officers"]):
        raise _by_hand(owner)
    expected = json.loads(json.dumps(before, default=str))
    expected["officers"][at] |= values
    return _edited(text, starts[at], values, expected, owner)


def _edited(text: str, start: int, values: Mapping[str, str], expected: dict[str, Any], owner: str) -> str:
    lines = text.split("\n")
    end = next((n for n in range(start + 1, len(lines)) if _HEADER.match(lines[n])), len(lines))
    for key, value in values.items():
        pattern = re.compile(rf'^(\s*{key}\s*=\s*)("[^"\\]*"|\'[^\']*\'|"(?:[^"\\]|\\.)*")')
        for n in range(start + 1, end):
            if found := pattern.match(lines[n]):
                lines[n] = found[1] + _quoted(value) + lines[n][found.end() :]
    edited = "\n".join(lines)
    if json.loads(json.dumps(tomllib.loads(edited), default=str)) != expected:
        raise _by_hand(owner)
    return edited


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _by_hand(owner: str) -> BadInput:
    return BadInput(
        f"the lines of {owner} in muniment.toml are written in a way this command does not edit; write the new values "
        "there yourself and run it again without --request"
    )
