"""The rows of `permit`: what the record says of each permit, for the pages. They open nothing.

Every row is written by `rows.store` from the record's acts and can be made again from them; a row that says something
else is found by `rows.check_rows`.
"""

from __future__ import annotations

from django.db import models

from muniment.people.models import Person
from muniment.permit.state import State

STATES = [(state.value, state.value.capitalize()) for state in State]
KINDS = [("look", "Look"), ("shielded", "What is marked private"), ("exemption", "Closed sites")]


class Permit(models.Model):
    """One permit at its newest revision; `request` and `approval` are the exact texts of the record."""

    number = models.CharField(max_length=20, unique=True)
    revision = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=KINDS)
    state = models.CharField(max_length=10, choices=STATES, db_index=True)
    requester = models.ForeignKey(Person, models.PROTECT, related_name="permits_asked", null=True)
    purpose = models.CharField(max_length=20)
    depth = models.CharField(max_length=10)
    parent = models.CharField(max_length=20, blank=True)
    entries = models.PositiveIntegerField()
    shielded = models.PositiveIntegerField()
    request = models.TextField()
    asked = models.DateTimeField()
    waits_since = models.DateTimeField()
    decided = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    approval = models.TextField(blank=True)
    signature = models.CharField(max_length=88, blank=True)
    ends = models.DateTimeField(null=True)

    class Meta:
        """What the table refuses."""

        ordering = ["-asked", "-number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]), name="permit_state_is_known"
            )
        ]

    def __str__(self) -> str:
        """Return the number people quote."""
        return self.number


class PermitSubject(models.Model):
    """A person is looked at under a permit; `person` is the pseudonym, also of somebody the register has lost."""

    permit = models.ForeignKey(Permit, models.CASCADE, related_name="subjects")
    person = models.CharField(max_length=200, db_index=True)
    name = models.CharField(max_length=200)

    class Meta:
        """What the table refuses."""

        constraints = [models.UniqueConstraint(fields=["permit", "person"], name="subject_once_a_permit")]

    def __str__(self) -> str:
        """Return who is looked at."""
        return self.name


class DelayOrder(models.Model):
    """An order that the people looked at under a permit are told later; `ended` is when it was taken back."""

    permit = models.ForeignKey(Permit, models.CASCADE, related_name="delays")
    until = models.DateTimeField()
    ground = models.CharField(max_length=200)
    reason = models.TextField()
    ordered_by = models.CharField(max_length=200)
    ordered = models.DateTimeField()
    ended = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Return what is delayed until when."""
        return f"{self.permit_id}: until {self.until}"
