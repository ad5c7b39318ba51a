"""A TOML table has the keys its type declares, no others, each of the declared kind.

Every key carries an `About` where it is declared, so that the mistake, the mend and the documentation are one text.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True)
class About:
    """What one key means, the clause it serves and a value that would do, as it is written in TOML."""

    text: str
    clause: str
    example: str


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a policy file: where, which clause asks for it, what is wrong and how to mend it."""

    key: str
    clause: str
    wrong: str
    mend: str

    def __str__(self) -> str:
        """Return the sentence a person reads."""
        return f"{self.key}: {self.wrong} (clause {self.clause}). {self.mend}"


@dataclass(frozen=True)
class Field:
    """One declared key of a struct: its name, kind, whether it must be there, and its `About`."""

    name: str
    kind: Any
    required: bool
    about: About


def fields(struct: type[msgspec.Struct]) -> Iterator[Field]:
    """Yield the declared keys of `struct` in the order of their declaration."""
    hints = typing.get_type_hints(struct, include_extras=True)
    for declared in msgspec.structs.fields(struct):
        hint = hints[declared.name]
        about = next(part for part in hint.__metadata__ if isinstance(part, About))
        yield Field(declared.name, hint.__origin__, declared.required, about)


def mistakes(table: object, struct: type[msgspec.Struct], *, prefix: str = "") -> Iterator[Mistake]:
    """Yield what keeps `table` from being a `struct`: unknown, missing and ill-typed keys, at every depth."""
    known = {field.name: field for field in fields(struct)}
    if not isinstance(table, dict):
        first = next(iter(known.values())).about
        yield Mistake(
            prefix, first.clause, "must be a table of keys", f"Write [{prefix}] on a line of its own."
        )
        return
    for name in table.keys() - known.keys():
        yield _unknown(prefix, name, known)
    for name, field in known.items():
        key = _join(prefix, name)
        if name in table:
            yield from _value_mistakes(table[name], field.kind, field.about, key)
        elif field.required:
            yield Mistake(
                key, field.about.clause, f"is missing: {field.about.text}", _write(name, field.about)
            )


def _value_mistakes(value: object, kind: Any, about: About, key: str) -> Iterator[Mistake]:
    """Yield the mistakes of one value of the declared `kind`."""
    kind = _without_none(kind)
    if _is_struct(kind):
        yield from mistakes(value, kind, prefix=key)
    elif typing.get_origin(kind) is dict and isinstance(value, dict):
        for name, inner in value.items():
            yield from _value_mistakes(inner, typing.get_args(kind)[1], about, _join(key, name))
    elif typing.get_origin(kind) is tuple and isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _value_mistakes(inner, typing.get_args(kind)[0], about, f"{key}[{number}]")
    else:
        yield from _leaf_mistakes(value, kind, about, key)


def _leaf_mistakes(value: object, kind: Any, about: About, key: str) -> Iterator[Mistake]:
    """Yield a mistake when a plain value cannot become its `kind`."""
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        name = key.rsplit(".", 1)[-1].split("[")[0]
        yield Mistake(key, about.clause, f"{_lower_first(str(error))}: {about.text}", _write(name, about))


def _unknown(prefix: str, name: str, known: dict[str, Field]) -> Mistake:
    """Return the mistake for a key nobody declared, with the nearest declared one when it is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    first = next(iter(known.values())).about
    clause = known[near[0]].about.clause if near else first.clause
    mend = f"Did you mean {near[0]}?" if near else f"Take it out; known here: {', '.join(sorted(known))}."
    return Mistake(_join(prefix, name), clause, "is not a key Muniment knows", mend)


def _write(name: str, about: About) -> str:
    """Return the mend that shows what to write."""
    if about.example.startswith("["):
        return f"Write {about.example}."
    return f"Write, for instance, {name} = {about.example}."


def _join(prefix: str, name: str) -> str:
    """Return the dotted key; what no plain key may hold is shown escaped."""
    shown = name if name.isprintable() and len(name) <= 60 else repr(name[:60])
    return f"{prefix}.{shown}" if prefix else shown


def _without_none(kind: Any) -> Any:
    """Return the other half of `X | None`, and any other kind as it is."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return next(part for part in typing.get_args(kind) if part is not types.NoneType)
    return kind


def _is_struct(kind: Any) -> bool:
    """Tell whether `kind` is a msgspec Struct."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _lower_first(text: str) -> str:
    """Return `text` as the middle of a sentence."""
    return text[:1].lower() + text[1:]
