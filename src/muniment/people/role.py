"""The roles the policy speaks of. What a role may do is decided where it is asked, not here.

Source: R-1.S-b (who the policy covers), R-5.2-f (officers), R-3.1-c (safeguarding), R-5.3-l (union business).
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """One capacity in which a person acts; a person may have several at once."""

    MANAGING_DIRECTOR = "managing_director"
    OFFICE_MANAGER = "office_manager"
    ALTERNATE = "alternate"
    GOVERNOR = "governor"
    IT_SUPPORT = "it_support"
    DATA_PROTECTION_OFFICER = "data_protection_officer"
    HR = "hr"
    LINE_MANAGER = "line_manager"
    STAFF = "staff"
    STUDENT = "student"
    GUEST = "guest"
    CONTRACTOR = "contractor"
    AUDITOR = "auditor"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    UNION_REPRESENTATIVE = "union_representative"

    @property
    def label(self) -> str:
        """Return the role as people write it, for instance `IT support`."""
        words = self.value.replace("_", " ")
        return {"hr": "HR", "it support": "IT support"}.get(words, words.capitalize())


def parse_role(text: str) -> Role | None:
    """Return the role a person wrote (`Line Manager`, `line-manager`, `line_manager`), None when it is none."""
    folded = "_".join(text.replace("-", " ").replace("_", " ").casefold().split())
    return Role(folded) if folded in Role._value2member_map_ else None
