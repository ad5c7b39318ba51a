"""An account: how one person of the register signs in, with a password or a passkey.

There is one a person, and nobody makes one for themselves: `invitation.py` does. An account is active exactly while
its person is here, so that whoever leaves is signed out with the same import that ends their stay.

Source: R-4.1-f (responsible for what is done through the account), R-4.3-i.
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from muniment.people.address import LONGEST


class Accounts(BaseUserManager["Account"]):
    """The accounts, each with its person."""

    def get_queryset(self) -> models.QuerySet[Account]:
        """Return every account; its person is read with it, because each page asks for both."""
        return super().get_queryset().select_related("person")


class Account(AbstractBaseUser):
    """One person's way in; `email` is the folded mail address they sign in with."""

    person = models.OneToOneField("people.Person", models.PROTECT, related_name="account")
    email = models.CharField(max_length=LONGEST, unique=True)
    made = models.DateTimeField()
    closed = models.DateTimeField(null=True, blank=True)

    objects = Accounts()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        """Return the name it is signed in with."""
        return self.email

    @property
    def name(self) -> str:
        """Return what its person is called; a password may not be like it."""
        return self.person.name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Tell whether its person is here and nobody closed it."""
        now = timezone.now()
        person = self.person
        is_here = person.started <= now and (person.ended is None or now < person.ended)
        return is_here and (self.closed is None or now < self.closed)


class Invitation(models.Model):
    """A link that lets one person choose their first password or passkey, once, until `ends`.

    Only the SHA-256 of the link's secret is stored: who reads the table gets in no more than before.
    """

    person = models.ForeignKey("people.Person", models.PROTECT, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True)
    made = models.DateTimeField()
    ends = models.DateTimeField()
    used = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the table refuses."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("made")), name="invitation_ends_after_it_is_made"
            )
        ]

    def __str__(self) -> str:
        """Return whom it invites."""
        return f"{self.person_id} until {self.ends}"
