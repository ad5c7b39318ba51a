"""The table of keys in docs/formats/policy-file.md, made from where the keys are declared.

Run `python -m tests.policy.key_table` after a key has changed; test_documents.py compares.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from muniment.policy.policyfile import Written
from muniment.policy.shape import Field, fields

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "policy-file.md"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


def key_table() -> str:
    """Return the table as Markdown."""
    rows = ["| key | must | what it says | clause | for instance |", "| --- | --- | --- | --- | --- |"]
    return "\n".join(rows + list(_rows(Written, "")))


def _rows(struct: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    for field in fields(struct):
        inner, suffix = _struct_within(field.kind)
        key = f"{prefix}{field.name}{suffix}"
        yield _row(key, field)
        if inner is not None:
            yield from _rows(inner, f"{key}.")


def _row(key: str, field: Field) -> str:
    about = field.about
    return (
        f"| `{key}` | {'yes' if field.required else ''} | {about.text} | {about.clause} | `{about.example}` |"
    )


def _struct_within(kind: Any) -> tuple[type[msgspec.Struct] | None, str]:
    """Return the struct whose keys a table of this kind has, and what stands between the two names."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, ""
    suffix = {tuple: "[]", dict: ".CLASS"}.get(typing.get_origin(kind), "")
    for part in typing.get_args(kind):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part, suffix
    return None, ""


def with_table(page: str) -> str:
    """Return the page with the table as it must be."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{key_table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
