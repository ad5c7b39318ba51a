"""Who somebody is at this moment: the person behind an account, and every role they act in.

Beside the roles of the register, whoever holds the address of an officer of the policy file acts as that officer. The
officer's key, which is not on this machine, is still needed to permit anything: the role only opens the pages.

Source: R-5.2-f (officers), R-5.2-g (the alternate).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from muniment.people.account import Account
from muniment.people.address import fold_or_none
from muniment.people.models import Person
from muniment.people.register import addresses_of, at, roles_of
from muniment.people.role import Role
from muniment.policy.errors import Conflict, Missing
from muniment.policy.officer import Officer, OfficerRole

_OFFICE = {
    OfficerRole.MANAGING_DIRECTOR: Role.MANAGING_DIRECTOR,
    OfficerRole.OFFICE_MANAGER: Role.OFFICE_MANAGER,
    OfficerRole.ALTERNATE: Role.ALTERNATE,
}


def acting_roles(person: Person, moment: datetime, officers: Iterable[Officer]) -> frozenset[Role]:
    """Return the roles a person acts in at a moment, those of an officer of the policy file included."""
    held = addresses_of(person, moment)
    offices = {_OFFICE[officer.role] for officer in officers if fold_or_none(officer.address) in held}
    return roles_of(person, moment) | offices


def person_called(external_id: str, moment: datetime) -> Person:
    """Return the person the organisation calls `external_id`, who is here at a moment.

    Raises: Missing when nobody who is here has that id.
    """
    person = Person.objects.filter(at(moment), external_id=external_id).first()
    if person is None:
        raise Missing(
            f"nobody called {external_id[:60]!r} is here; expected an external_id of the register of people. "
            "Import the person first: muniment people import FILE"
        )
    return person


def open_account(person: Person, moment: datetime) -> Account:
    """Return the account of a person; made when they have none, opened again when it was closed.

    The name they sign in with is the first mail address they hold; an account whose address they no longer hold
    gets the present one, and an account of somebody else that was named after it gives it up.

    Raises: Conflict when they hold no address.
    """
    held = addresses_of(person, moment)
    if not held:
        raise Conflict(
            f"{person.name} has no mail address, and the address is the name to sign in with; "
            "write one into the file of people and import it again"
        )
    with transaction.atomic():
        account = Account.objects.filter(person=person).first() or Account(person=person, made=moment)
        if account.email not in held:
            _take_name(held[0], moment)
            account.email = held[0]
        if not account.password:
            account.set_unusable_password()
        account.closed = None
        account.save()
    return account


def vouched_account(address: str, moment: datetime) -> Account | None:
    """Return the account a mail address opens for whoever proved elsewhere that it is theirs; None when it is nobody's.

    An address that has gone to somebody else in the register does not open the account that was named after it.
    """
    account = Account.objects.filter(email=fold_or_none(address) or "").first()
    return account if account and account.email in addresses_of(account.person, moment) else None


def _take_name(address: str, moment: datetime) -> None:
    """Free an address that its account's person no longer holds: the register gives it to one person at a time."""
    other = Account.objects.filter(email=address).first()
    if other is not None:
        held = addresses_of(other.person, moment)
        other.email = held[0] if held else f"account-{other.pk}@without-address.invalid"
        other.save(update_fields=["email"])
