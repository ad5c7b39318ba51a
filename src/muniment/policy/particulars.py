"""The particulars every business letter and e-mail of a company must show.

Source: R-2.2-b; Companies (Trading Disclosures) Regulations 2015, regulations 24 and 25.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import msgspec

from .reserved import is_domain, is_reserved
from .shape import About, Mistake

_CLAUSE = "R-2.2-b"
_NUMBER = re.compile(r"[0-9]{8}|[A-Z]{2}[0-9]{6}|R0[0-9]{6}")
_POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\b")
_LONGEST = 200


class PartOfUK(StrEnum):
    """Where a company is registered."""

    ENGLAND_AND_WALES = "England and Wales"
    SCOTLAND = "Scotland"
    NORTHERN_IRELAND = "Northern Ireland"


class Nation(StrEnum):
    """Whose public holidays move a deadline."""

    ENGLAND = "ENG"
    WALES = "WLS"
    SCOTLAND = "SCT"
    NORTHERN_IRELAND = "NIR"


_PART_BY_PREFIX = {
    "SC": PartOfUK.SCOTLAND,
    "SO": PartOfUK.SCOTLAND,
    "SL": PartOfUK.SCOTLAND,
    "NI": PartOfUK.NORTHERN_IRELAND,
    "NC": PartOfUK.NORTHERN_IRELAND,
    "NL": PartOfUK.NORTHERN_IRELAND,
    "R0": PartOfUK.NORTHERN_IRELAND,
}


class Particulars(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The four statutory particulars, and whether the name may leave out "Limited"."""

    name: str
    part_of_uk: PartOfUK
    company_number: str
    registered_office: str
    exempt_from_limited: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the particulars as short lines of plain text, in the order of the regulations."""
        limited = " (a limited company)" if self.exempt_from_limited else ""
        return (
            f"{self.name}{limited}",
            f"Registered in {self.part_of_uk}, company number {self.company_number}",
            f"Registered office: {self.registered_office}",
        )


class Organisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the organisation is, as the register of companies has it."""

    name: Annotated[str, About("the registered name in full", _CLAUSE, '"Example Training Ltd"')]
    short_name: Annotated[str, About("the name people use", "R-1.0-a", '"Example Training"')]
    part_of_uk: Annotated[
        PartOfUK, About("the part of the United Kingdom of registration", _CLAUSE, '"England and Wales"')
    ]
    company_number: Annotated[str, About("the number in the register of companies", _CLAUSE, '"01234567"')]
    registered_office: Annotated[
        str,
        About("the registered office with its postcode", _CLAUSE, '"1 Example Street, Exampletown EX1 1EX"'),
    ]
    nation: Annotated[Nation, About("whose public holidays count", "R-2.3-b", '"ENG"')]
    domains: Annotated[
        tuple[str, ...],
        About("the organisation's own mail domains, lower case", "R-2.2-b", '["training.example"]'),
    ]
    exempt_from_limited: Annotated[
        bool, About("the company may leave Limited out of its name", _CLAUSE, "false")
    ] = False

    @property
    def particulars(self) -> Particulars:
        """Return what every external message must show."""
        return Particulars(
            name=self.name,
            part_of_uk=self.part_of_uk,
            company_number=self.company_number,
            registered_office=self.registered_office,
            exempt_from_limited=self.exempt_from_limited,
        )


def organisation_mistakes(organisation: Organisation, *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with well-typed particulars."""
    for key in ("name", "short_name", "registered_office"):
        yield from line_mistakes(f"organisation.{key}", getattr(organisation, key), _CLAUSE)
    yield from _number_mistakes(organisation)
    if not _POSTCODE.search(organisation.registered_office):
        yield Mistake(
            "organisation.registered_office",
            _CLAUSE,
            "has no postcode",
            "Write the whole address as the register of companies has it, with its postcode.",
        )
    yield from _domains_mistakes(organisation.domains, example=example)


def line_mistakes(key: str, text: str, clause: str) -> Iterator[Mistake]:
    """Yield a mistake unless `text` is one line that says something; the footer and the sheets print it."""
    if not text.strip():
        yield Mistake(key, clause, "is empty", "Write it out.")
    elif text != text.strip() or not text.isprintable():
        yield Mistake(key, clause, "has line breaks, tabs or space around it", "Write it on one line.")
    elif len(text) > _LONGEST:
        yield Mistake(key, clause, f"is longer than {_LONGEST} characters", "Shorten it.")


def _number_mistakes(organisation: Organisation) -> Iterator[Mistake]:
    """Yield what is wrong with the company number, also beside the part of the United Kingdom."""
    key, number = "organisation.company_number", organisation.company_number
    if not _NUMBER.fullmatch(number):
        yield Mistake(
            key,
            _CLAUSE,
            f"found {number[:20]!r}, expected eight digits, or two capitals and six digits",
            "Copy it from the certificate of incorporation, leading noughts included.",
        )
        return
    part = PartOfUK.ENGLAND_AND_WALES if number.isdigit() else _PART_BY_PREFIX.get(number[:2])
    if part not in (None, organisation.part_of_uk):
        yield Mistake(
            "organisation.part_of_uk",
            _CLAUSE,
            f"says {organisation.part_of_uk}, but company number {number} is of {part}",
            "Correct whichever of the two is wrong.",
        )


def _domains_mistakes(domains: tuple[str, ...], *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with the organisation's mail domains."""
    key, clause = "organisation.domains", "R-2.2-b"
    if not domains:
        yield Mistake(key, clause, "names no domain", 'Write, for instance, domains = ["training.example"].')
    if len(set(domains)) < len(domains):
        yield Mistake(key, clause, "names a domain twice", "Leave one of them.")
    for domain in domains:
        yield from domain_mistakes(key, domain, clause, example=example)


def domain_mistakes(key: str, domain: str, clause: str, *, example: bool) -> Iterator[Mistake]:
    """Yield a mistake unless `domain` is well formed and, in an example organisation, nobody's."""
    if not is_domain(domain):
        yield Mistake(
            key,
            clause,
            f"{domain[:60]!r} is not a domain name",
            "Write it in lower case, without @ or dots at the ends.",
        )
    elif example and not is_reserved(domain):
        yield Mistake(
            key,
            clause,
            f"{domain} may belong to somebody, and this is an example organisation",
            "Use a name below .example, .test or .invalid, or example.com, .org or .net; "
            "or run `muniment init` without --example for a real organisation.",
        )
