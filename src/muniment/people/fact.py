"""What is true of a person for a while, and what is known of a person, as values without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from muniment.people.span import Span


class About(StrEnum):
    """What a fact speaks of; the value is the column of the CSV file that states it."""

    ROLE = "roles"
    MANAGER = "line_manager"
    ADDRESS = "addresses"


@dataclass(frozen=True)
class Fact:
    """`person` (an external id) has this role, line manager (an external id) or folded address during `span`.

    `row` is the database row that holds it, None for a fact that is still to be written.
    """

    about: About
    person: str
    value: str
    span: Span
    row: int | None = None


@dataclass(frozen=True)
class Known:
    """A person as the register has them now, with every fact ever recorded of them."""

    external_id: str
    name: str
    span: Span
    facts: tuple[Fact, ...] = field(default=())
