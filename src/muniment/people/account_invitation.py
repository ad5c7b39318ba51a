"""Invitations: the one way to a first password or passkey, and to a new one when it was lost.

1. `muniment people invite ID` makes a link; whoever made an earlier one that was not used yet, it is void now.
2. The link holds 32 random bytes; the database their SHA-256. It is open for three days and for one use.
3. The person who opens it chooses a password or a passkey. A second factor they had stays, unless the invitation was
   made to take it away too.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from muniment.people.account import Account, Invitation
from muniment.people.models import Person
from muniment.people.sign_in import open_account
from muniment.policy.errors import Missing

OPEN_FOR = timedelta(days=3)
_SECRET_BYTES = 32
_LONGEST = 100


@dataclass(frozen=True)
class Invited:
    """An invitation as its maker hands it out; `secret` is stored nowhere."""

    person: Person
    address: str
    secret: str
    ends: datetime


def invite(person: Person, moment: datetime, *, forget_second_factor: bool = False) -> Invited:
    """Make an invitation for a person who is here; earlier ones end.

    Raises: as `sign_in.open_account`.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with transaction.atomic():
        account = open_account(person, moment)
        if forget_second_factor:
            account.authenticator_set.all().delete()  # type: ignore[attr-defined]
        Invitation.objects.filter(person=person, used__isnull=True).delete()
        made = Invitation.objects.create(
            person=person, digest=_digest(secret), made=moment, ends=moment + OPEN_FOR
        )
    return Invited(person, account.email, secret, made.ends)


def invited_account(secret: str, moment: datetime) -> Account:
    """Return the account an open invitation is for.

    Raises: Missing when the invitation is unknown, used or over; it does not say which.
    """
    found = _open_invitation(secret, moment)
    account = Account.objects.filter(person=found.person).first() if found else None
    if account is None or not account.is_active:
        raise _void()
    return account


def use(secret: str, moment: datetime, password: str | None) -> Account:
    """Use an invitation up and return its account with its new password; None leaves it to a passkey.

    Raises: Missing as `invited_account`, and when somebody else used it meanwhile.
    """
    with transaction.atomic():
        account = invited_account(secret, moment)
        taken = Invitation.objects.filter(digest=_digest(secret), used__isnull=True).update(used=moment)
        if taken != 1:
            raise _void()
        account.set_password(password)
        account.save(update_fields=["password"])
    return account


def lock(person: Person, moment: datetime) -> None:
    """Close a person's account at once: no password, no second factor, no open invitation, and no session goes on.

    Raises: Missing when they have no account.
    """
    with transaction.atomic():
        account = Account.objects.filter(person=person).first()
        if account is None:
            raise Missing(f"{person.name} has no account, so there is nothing to lock")
        account.authenticator_set.all().delete()  # type: ignore[attr-defined]
        Invitation.objects.filter(person=person, used__isnull=True).delete()
        account.set_unusable_password()
        account.closed = moment
        account.save()


def _open_invitation(secret: str, moment: datetime) -> Invitation | None:
    if len(secret) > _LONGEST:
        return None
    open_ones = Invitation.objects.filter(used__isnull=True, ends__gt=moment)
    return open_ones.filter(digest=_digest(secret)).select_related("person").first()


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _void() -> Missing:
    return Missing(
        "this invitation is not open: it was used, is older than three days, or a newer one was made. "
        "Ask for a new one where you got it"
    )
