"""The rows of `people`: a person, and what is true of a person for a half-open stretch of time.

Nothing is overwritten: what ceases to hold gets an end, what begins to hold is a new row. Each table refuses two
rows that would hold at once (migration 0002): a role twice, two line managers, two holders of one address.
The rules that need more than one row are in `line.py` and `plan.py`.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from muniment.people.account import Account, Invitation
from muniment.people.address import LONGEST
from muniment.people.role import Role

__all__ = ["Account", "Address", "Invitation", "LineManagement", "Person", "RoleAssignment"]
ROLES = [(role.value, role.label) for role in Role]
KINDS = [("mail", "Mail")]


def _ends_after_it_starts(table: str) -> models.CheckConstraint:
    condition = Q(ended__isnull=True) | Q(ended__gt=F("started"))
    return models.CheckConstraint(condition=condition, name=f"{table}_ends_after_it_starts")


class Person(models.Model):
    """Somebody who uses the organisation's systems.

    `id` is the pseudonym by which the record and the data planes know the person; `external_id` is what the
    organisation calls them; `started` and `ended` bound the present or, for somebody who left, the last stay.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the table refuses."""

        constraints = [_ends_after_it_starts("person")]

    def __str__(self) -> str:
        """Return the name people use."""
        return self.name


class RoleAssignment(models.Model):
    """A person acts in a role."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="roles")
    role = models.CharField(max_length=40, choices=ROLES)
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the table refuses."""

        constraints = [
            _ends_after_it_starts("role"),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="role_is_known"),
        ]

    def __str__(self) -> str:
        """Return who acts as what."""
        return f"{self.person_id}: {self.role}"


class LineManagement(models.Model):
    """A person answers to a line manager."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="managers")
    manager = models.ForeignKey(Person, models.PROTECT, related_name="managed")
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the table refuses."""

        constraints = [
            _ends_after_it_starts("line"),
            models.CheckConstraint(condition=~Q(person=F("manager")), name="line_is_to_somebody_else"),
        ]

    def __str__(self) -> str:
        """Return who answers to whom."""
        return f"{self.person_id} answers to {self.manager_id}"


class Address(models.Model):
    """A person holds an address; `folded` is the form that is compared (`address.fold`)."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="addresses")
    kind = models.CharField(max_length=10, choices=KINDS, default="mail")
    folded = models.CharField(max_length=LONGEST, db_index=True)
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the table refuses."""

        verbose_name_plural = "addresses"
        constraints = [_ends_after_it_starts("address")]

    def __str__(self) -> str:
        """Return the address."""
        return self.folded
