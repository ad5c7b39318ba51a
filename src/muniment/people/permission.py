"""Every permission of the console, spelled part:thing:action, and which roles have it.

A route names one permission where it is declared; `muniment.site.gate` lets a request through only when `ALLOWED` has
the permission for one of the roles its person holds at that moment. What a page then shows is narrower where it must
be: a room asks its permit who may read, My record shows its own person only.

Source: R-5.2-f (who permits), R-5.2-g (conflicts are checked at the permit), R-1.S-b (who the policy covers).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum, auto

from muniment.people.role import Role


class Permission(StrEnum):
    """What a route needs."""

    SIGN_IN = "site:sign-in:start"
    LOAD_STYLES = "site:styles:load"
    SEE_API_DESCRIPTION = "site:api-description:see"
    USE_OWN_ACCOUNT = "people:own-account:use"
    ASK_PERMIT = "permit:request:ask"
    DECIDE_PERMIT = "permit:request:decide"
    SEE_PERMIT = "permit:permit:see"
    ASK_EXEMPTION = "permit:exemption:ask"
    ENTER_ROOM = "answer:room:enter"
    SEE_OWN_RECORD = "account:own-record:see"
    SEE_TODAY = "account:today:see"
    SEE_HEALTH = "account:health:see"
    SEE_AUDIT = "account:audit:see"
    SEE_STREAMS = "account:streams:see"
    SEE_RECORD_STATE = "account:record-state:see"
    SEE_OUTSIDE = "account:outside:see"


class Everybody(Enum):
    """Permissions that no role decides."""

    ANYONE = auto()
    SIGNED_IN = auto()


ANYONE, SIGNED_IN = Everybody.ANYONE, Everybody.SIGNED_IN
OFFICERS = frozenset({Role.MANAGING_DIRECTOR, Role.OFFICE_MANAGER, Role.ALTERNATE})
_DPO = frozenset({Role.DATA_PROTECTION_OFFICER})
_WATCHERS = frozenset({Role.AUDITOR, Role.GOVERNOR, Role.UNION_REPRESENTATIVE})
_ASKERS = frozenset(
    {
        Role.HR,
        Role.DATA_PROTECTION_OFFICER,
        Role.OFFICE_MANAGER,
        Role.MANAGING_DIRECTOR,
        Role.IT_SUPPORT,
        Role.SAFEGUARDING_LEAD,
    }
)

ALLOWED: Mapping[Permission, frozenset[Role] | Everybody] = {
    Permission.SIGN_IN: ANYONE,
    Permission.LOAD_STYLES: ANYONE,
    Permission.SEE_API_DESCRIPTION: SIGNED_IN,
    Permission.USE_OWN_ACCOUNT: SIGNED_IN,
    Permission.ASK_PERMIT: _ASKERS,
    Permission.DECIDE_PERMIT: OFFICERS,
    # The permit's own pages narrow it to whom it concerns: asker, reader, officers, data protection officer, auditor.
    Permission.SEE_PERMIT: _ASKERS | OFFICERS | {Role.AUDITOR},
    Permission.ASK_EXEMPTION: frozenset(Role) - {Role.GUEST, Role.STUDENT},
    Permission.ENTER_ROOM: _ASKERS,
    Permission.SEE_OWN_RECORD: SIGNED_IN,
    Permission.SEE_TODAY: OFFICERS | _DPO,
    Permission.SEE_HEALTH: OFFICERS | _DPO | {Role.IT_SUPPORT, Role.AUDITOR},
    Permission.SEE_AUDIT: OFFICERS | _DPO | _WATCHERS,
    Permission.SEE_STREAMS: SIGNED_IN,
    Permission.SEE_RECORD_STATE: SIGNED_IN,
    Permission.SEE_OUTSIDE: SIGNED_IN,
}

# A person in one of these roles signs in with a second factor before more is open to them than to everybody.
NEEDS_SECOND_FACTOR = OFFICERS | _DPO | {Role.IT_SUPPORT, Role.HR, Role.AUDITOR, Role.SAFEGUARDING_LEAD}
WITHOUT_SECOND_FACTOR = frozenset(
    {
        Permission.SIGN_IN,
        Permission.LOAD_STYLES,
        Permission.USE_OWN_ACCOUNT,
        Permission.SEE_OWN_RECORD,
        Permission.SEE_STREAMS,
    }
)


def allows(permission: Permission, roles: frozenset[Role]) -> bool:
    """Tell whether a signed-in person in these roles has the permission."""
    allowed = ALLOWED[permission]
    return True if isinstance(allowed, Everybody) else bool(allowed & roles)


def roles_in_words(permission: Permission) -> str:
    """Return the roles that have the permission, for a sentence."""
    allowed = ALLOWED[permission]
    if isinstance(allowed, Everybody):
        return "Everybody"
    *most, last = sorted(role.label for role in allowed)
    return f"{', '.join(most)} and {last}" if most else last
