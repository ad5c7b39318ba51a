"""A finding is one weakness of a policy text: by which law it is one, and a wording that would do.

What never depends on the policy file is data, in findings.toml. Source: requirements 0, L1-L12.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec


class Standing(StrEnum):
    """Whether the file shows the weakness or leaves it open."""

    FOUND = "found"
    NOT_SAID = "not said"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One weakness: its code, clause and law, what is wrong, a wording that would do, the key that decides it."""

    code: str
    clause: str
    law: str
    law_seen: bool
    standing: Standing
    wrong: str
    suggestion: str
    key: str


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What never depends on the file: where a finding comes from and what it offers."""

    code: str
    clause: str
    law: str
    law_seen: bool
    key: str
    asked: str
    suggestion: str

    def found(self, wrong: str) -> Finding:
        """Return the finding that the file shows."""
        return self._finding(Standing.FOUND, wrong)

    def unsaid(self) -> Finding:
        """Return the finding that the file leaves open."""
        return self._finding(Standing.NOT_SAID, f"The file does not say {self.asked}; set {self.key}.")

    def _finding(self, standing: Standing, wrong: str) -> Finding:
        return Finding(
            code=self.code,
            clause=self.clause,
            law=self.law,
            law_seen=self.law_seen,
            standing=standing,
            wrong=wrong,
            suggestion=self.suggestion,
            key=self.key,
        )


class _Questions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of questions."""

    questions: tuple[Question, ...]


@cache
def questions() -> Mapping[str, Question]:
    """Return the twelve questions by their code, L1 to L12."""
    text = files(__package__).joinpath("findings.toml").read_text(encoding="utf-8")
    read = msgspec.convert(tomllib.loads(text), _Questions)
    return MappingProxyType({question.code: question for question in read.questions})
