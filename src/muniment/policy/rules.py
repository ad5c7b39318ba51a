"""The rules that make Decisions, in words: what each says and the clause it serves.

Source: R-1.0-a (a person can look up what stopped or changed a message).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: the name and version its Decisions carry, its clause, and what it says in plain words."""

    name: str
    version: int
    clause: str
    says: str


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of rules."""

    rules: tuple[Rule, ...]


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule by its name."""
    text = files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")
    return MappingProxyType({rule.name: rule for rule in msgspec.convert(tomllib.loads(text), _Rules).rules})
