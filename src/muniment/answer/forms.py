"""What is typed into the pages of a room, read once and at the edge; what is wrong is said at its field."""

from __future__ import annotations

from typing import Any

from django import forms

from muniment.answer.views.enquiry import Enquiry

FIELDS = (
    ("any", "Anywhere"),
    ("subject", "In the subject"),
    ("body", "In the message itself"),
    ("attachment", "In attachments"),
    ("from", "In the sender"),
    ("to", "In the recipients"),
)
RUNGS = ("envelope", "subject", "content")
BEARINGS = (
    (
        "towards",
        "Points towards the concern",
        "It goes into the pack if you choose it; so does what speaks against.",
    ),
    ("away", "Points away from it", "It must go into the pack: the other side has a right to it."),
    ("leave-out", "Neither; leave it out of the case", "Nobody else sees it."),
)
CHOSEN = "pack"
_LONGEST_REASON = 500
_LONGEST_WORDS = 500
_NEEDED = "Say why in a few words. The reason is recorded before anything is shown."


def _reason(**more: Any) -> forms.CharField:
    return forms.CharField(
        max_length=_LONGEST_REASON, min_length=3, error_messages={"required": _NEEDED}, **more
    )


class UnlockForm(forms.Form):
    """The room's six words."""

    words = forms.CharField(
        max_length=200,
        error_messages={"required": "Type the six words you were shown when you asked for the permit."},
    )


class ClimbForm(forms.Form):
    """The next rung of the ladder, and why."""

    rung = forms.ChoiceField(choices=[(rung, rung) for rung in RUNGS])
    reason = _reason()


class SearchForm(forms.Form):
    """What is sought, with whom, when, where, and why."""

    words = forms.CharField(max_length=_LONGEST_WORDS, required=False)
    person = forms.CharField(max_length=320, required=False)
    since = forms.DateField(
        required=False, error_messages={"invalid": "Give a day, for instance 2026-09-07."}
    )
    until = forms.DateField(
        required=False, error_messages={"invalid": "Give a day, for instance 2026-09-25."}
    )
    field = forms.ChoiceField(choices=FIELDS, required=False)
    fold = forms.BooleanField(required=False)
    clears = forms.BooleanField(required=False)
    reason = _reason()

    def clean(self) -> dict[str, Any]:
        """Hold that the days are in order."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first; put the earlier day first.")
        return cleaned

    def enquiry(self) -> Enquiry:
        """Return what was asked, once the form is valid."""
        found = self.cleaned_data
        return Enquiry(
            words=found["words"],
            person=found["person"],
            since=found["since"],
            until=found["until"],
            field=found["field"] or "any",
            fold=found["fold"],
            clears=found["clears"],
            reason=found["reason"],
        )


class NoteForm(forms.Form):
    """What the reader thinks of a message; kept sealed in the room, and no part of the record."""

    text = forms.CharField(max_length=4_000, required=False)
    bearing = forms.ChoiceField(choices=[(name, label) for name, label, _ in BEARINGS], required=False)
    tags = forms.CharField(max_length=200, required=False)
    chosen = forms.BooleanField(required=False)

    def all_tags(self) -> list[str]:
        """Return the tags in their order, each once: the bearing, the pack's, the reader's own."""
        found = self.cleaned_data
        own = [" ".join(tag.split())[:40] for tag in found["tags"].split(",")]
        marks = [found["bearing"], CHOSEN if found["chosen"] else "", *own]
        return list(dict.fromkeys(mark for mark in marks if mark))


class PackForm(forms.Form):
    """A pack to hand out: what it is called, to whom, why, and for whom it is encrypted."""

    title = forms.CharField(
        max_length=200,
        error_messages={"required": "Name the pack, for instance “Grievance 12, mail of September”."},
    )
    recipient = forms.CharField(
        max_length=200, error_messages={"required": "Say who gets it: a name and what they are."}
    )
    reason = _reason()
    age_recipient = forms.CharField(max_length=1_000, required=False)

    def clean_age_recipient(self) -> str:
        """Hold that the key has the form of one."""
        key = " ".join(str(self.cleaned_data["age_recipient"]).split())
        if key and not key.startswith(("age1", "ssh-ed25519 ", "ssh-rsa ")):
            raise forms.ValidationError(
                "An age key begins with age1, an SSH key with ssh-ed25519 or ssh-rsa."
            )
        return key


class ScanForm(forms.Form):
    """Terms looked for in every entry of the room, one a line."""

    terms = forms.CharField(
        max_length=20_000,
        error_messages={"required": "Give at least one name or phrase, each on a line of its own."},
    )
    reason = _reason()

    def clean_terms(self) -> list[str]:
        """Return the terms, each once."""
        found = [" ".join(line.split()) for line in str(self.cleaned_data["terms"]).splitlines()]
        terms = list(dict.fromkeys(line for line in found if line))
        if not terms:
            raise forms.ValidationError("Give at least one name or phrase, each on a line of its own.")
        if len(terms) > 500:
            raise forms.ValidationError(f"{len(terms)} terms are too many at once; give 500 at most.")
        return terms
