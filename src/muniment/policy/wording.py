"""What the organisation's own policy text says where the wording decides whether a finding stands.

Source: requirements 0, L1-L12. Every key may be left out; the finding then says that the file does not say.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from .shape import About


class Particular(StrEnum):
    """One of the four particulars a policy text may ask of business mail."""

    NAME = "name"
    PART_OF_UK = "part_of_uk"
    COMPANY_NUMBER = "company_number"
    REGISTERED_OFFICE = "registered_office"


class PhishingAdvice(StrEnum):
    """What the text tells people to do with a suspect message."""

    DELETE = "delete"
    REPORT = "report"


class ChatRight(StrEnum):
    """Which chat messages the text says a subject access request reaches."""

    SAVED_ONLY = "saved_only"
    ALL_HELD = "all_held"


class PrivateMail(StrEnum):
    """How the text keeps mail marked as private."""

    AS_ALL = "as_all"
    APART = "apart"


class FoiRegime(StrEnum):
    """Under what the text says freedom of information requests are answered."""

    UNNAMED = "unnamed"
    STATUTORY = "statutory"
    VOLUNTARY = "voluntary"
    CONTRACT = "contract"


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Claims about the organisation's policy text; a key that is left out is unknown, not false."""

    particulars_named: Annotated[
        tuple[Particular, ...] | None,
        About(
            "which of name, part_of_uk, company_number, registered_office the text asks for",
            "R-2.2-b",
            '["name", "part_of_uk", "company_number", "registered_office"]',
        ),
    ] = None
    consent_claimed: Annotated[
        bool | None, About("the text says that staff consent to monitoring", "R-5.3-n", "false")
    ] = None
    fine_named: Annotated[
        str | None, About('the fine the text names, "" for none', "R-4.3-b", '"£17.5 million or 4%"')
    ] = None
    callers_told: Annotated[
        bool | None, About("the text has people outside told that they are recorded", "R-5.1-d", "true")
    ] = None
    covert_needs_director: Annotated[
        bool | None,
        About("the text leaves hidden looks to the Managing Director alone", "R-5.2-e", "true"),
    ] = None
    phishing_advice: Annotated[PhishingAdvice | None, About("delete or report", "R-3.4-c", '"report"')] = None
    criticism_banned: Annotated[
        bool | None, About("the text forbids criticism of the organisation", "R-A1-f1", "false")
    ] = None
    disclosures_protected: Annotated[
        bool | None, About("the text exempts protected disclosures from that ban", "R-A1-f1", "true")
    ] = None
    chat_right: Annotated[ChatRight | None, About("saved_only or all_held", "R-2.3-a", '"all_held"')] = None
    complaints_route: Annotated[
        str | None,
        About('where the text sends data protection complaints, "" for nowhere', "R-2.3-c", '"the DPO"'),
    ] = None
    private_mail: Annotated[
        PrivateMail | None, About("as_all or apart: how private mail is kept", "R-5.3-l", '"apart"')
    ] = None
    foi_regime: Annotated[
        FoiRegime | None, About("unnamed, statutory, voluntary or contract", "R-2.4-a", '"voluntary"')
    ] = None
