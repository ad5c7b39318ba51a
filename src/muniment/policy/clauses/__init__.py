"""Every clause of the policy, and every requirement drawn from it, as data in our words.

One file a chapter; docs/formats/policy-file.md, "Clauses", describes them. Source: R-1.P-b.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

CHAPTERS = ("chapter1", "chapter2", "chapter3", "chapter4", "chapter5", "annex")
DEFAULT_CHANGER = "The Managing Director, by a new version of the policy"


class How(StrEnum):
    """What meets a clause today."""

    CONTROL = "control"
    PEOPLE = "people"
    NOT_YET = "not yet"


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One requirement drawn from one clause.

    `asks` paraphrases the clause; `law` is what stands behind it ("" when nothing does), `law_seen` whether every
    reference was read at its source; `control` names the modules that meet it, `met` says how it is met or why not,
    `lacks` what a control leaves open; `evidence` is what is left behind; `changed_by` who can change it.
    """

    id: str
    clause: str
    title: str
    asks: str
    law: str
    how: How
    met: str
    evidence: str
    law_seen: bool = False
    control: tuple[str, ...] = ()
    lacks: str = ""
    changed_by: str = DEFAULT_CHANGER

    @property
    def standing(self) -> str:
        """Return how the clause is met, in the fewest words that are true."""
        return "control, in part" if self.how is How.CONTROL and self.lacks else str(self.how)


class _Chapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of clauses."""

    clauses: tuple[Clause, ...]


@cache
def clauses() -> Mapping[str, Clause]:
    """Return every clause by its requirement id, in the order of the policy."""
    found = [clause for chapter in CHAPTERS for clause in _read(chapter)]
    return MappingProxyType({clause.id: clause for clause in found})


def _read(chapter: str) -> tuple[Clause, ...]:
    """Return the clauses of one chapter's file."""
    text = files(__package__).joinpath(f"{chapter}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Chapter).clauses
