"""What is typed into the pages of permits, read once and at the edge; what is wrong is said at its field.

The rules themselves are in `purposes`, `asking` and `conflict`; what they refuse beyond this stands above the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms

from muniment.people.address import fold
from muniment.people.models import Person
from muniment.people.moment import LONDON
from muniment.people.register import at, who_had
from muniment.permit.asking import MAIL, USUAL_DAYS
from muniment.permit.purposes import ALLOWANCES, CONTENT, ENVELOPE
from muniment.permit.words import STREAM_WORDS
from muniment.policy.errors import BadInput
from muniment.record.permit_text import MOST_DAYS

_LONGEST = 8000
_DAY_WRONG = "Give a day, for instance 2026-09-07."
DEPTHS = ((ENVELOPE, "Envelopes only"), (CONTENT, "Envelopes, then messages"))
GROUNDS = (
    (
        "prejudice",
        "Telling would spoil the matter",
        "Only the Managing Director may order this, at most three months at a time.",
    ),
    (
        "police",
        "The police ask for it",
        "Any officer may order this; note who asked, when, and their reference.",
    ),
    (
        "safeguarding",
        "Telling could put somebody at risk",
        "Any officer may order this; note who advised it.",
    ),
)


def begins(day: date) -> datetime:
    """Return the first moment of a day in London."""
    return datetime.combine(day, time(), LONDON)


def is_over(day: date) -> datetime:
    """Return the moment a day in London ends."""
    return begins(day + timedelta(days=1))


def _day(label: str, help_text: str = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    errors = {"required": _DAY_WRONG, "invalid": _DAY_WRONG}
    return forms.DateField(label=label, help_text=help_text, widget=widget, error_messages=errors)


def _text(label: str, needed: str, help_text: str = "", rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=_LONGEST,
        required=bool(needed),
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": needed},
    )


def _days(label: str = "Days it lasts") -> forms.IntegerField:
    wrong = f"A permit lasts 1 to {MOST_DAYS} days; it can be renewed."
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=MOST_DAYS,
        initial=USUAL_DAYS,
        help_text="Counted from the approval. It ends by itself.",
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), wrong),
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(line for line in (" ".join(each.split()) for each in text.splitlines()) if line)
    )


class _People(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """People of the register by pseudonym; what is none is refused in one sentence."""

    def clean(self, value: Any) -> Any:
        """Return the people."""
        try:
            return super().clean(value)
        except forms.ValidationError:
            raise forms.ValidationError("Choose people from the list; one of these is not in it.") from None


class PlainForm(forms.Form):
    """A form without colons after its labels."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **more})


class PermissionForm(PlainForm):
    """What every request says: why, what was tried, for how long."""

    purpose = forms.ChoiceField(label="What it is for", error_messages={"required": "Choose what it is for."})
    case = forms.CharField(
        label="Case, request or order it serves",
        help_text="Its number, as your other papers have it. Some purposes need none.",
        max_length=200,
        required=False,
    )
    reason = _text(
        "Why",
        "Say what you need to find out, and what makes you think so.",
        "The officer reads exactly this. Accuse nobody; say what you know.",
    )
    alternative = _text(
        "What less intrusive way was tried",
        "Say what you tried or considered, and why it will not do.",
        "Asking the person, their manager, another record.",
    )
    advice = _text(
        "The data protection officer’s view",
        "",
        "Copy it in. “Another lawful reason” needs it; every request may have it.",
        rows=2,
    )

    def __init__(self, *args: Any, purposes: Sequence[str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["purpose"].choices = [(code, code) for code in purposes]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Hold what the purpose demands beside itself."""
        found = super().clean() or {}
        allowance = ALLOWANCES.get(found.get("purpose", ""))
        if allowance is None:
            return found
        if allowance.needs_case and not found.get("case", "").strip():
            self.add_error(
                "case", "This purpose serves one named matter: give the number of its case, request or order."
            )
        if allowance.needs_advice and not found.get("advice", "").strip():
            self.add_error(
                "advice",
                "This purpose needs the data protection officer’s view in writing: ask for it first.",
            )
        return found


class AskForm(PermissionForm):
    """A request to look."""

    people = _People(queryset=Person.objects.none(), required=False)
    addresses = _text(
        "Addresses nobody holds",
        "",
        "Shared or old mailboxes, one a line. Whoever held one in that time is looked at too.",
        rows=2,
    )
    start = _day("From day")
    until = _day(
        "To day, included",
        "A day still to come means from now on: an officer approves it anew each week, at most three months ahead.",
    )
    streams = forms.MultipleChoiceField(
        label="Recorded by",
        choices=[(name, STREAM_WORDS[name]) for name in MAIL],
        initial=MAIL,
        error_messages={"required": "Choose at least one."},
    )
    depth = forms.ChoiceField(
        label="How deep", choices=DEPTHS, initial=ENVELOPE, error_messages={"required": "Choose how deep."}
    )
    days = _days()
    readers = _text(
        "Who else needs to read it",
        "",
        "Their mail addresses, one a line. Nobody else can enter the room.",
        rows=2,
    )

    def __init__(self, *args: Any, now: datetime, **more: Any) -> None:
        super().__init__(*args, **more)
        self._now = now
        self.fields["people"].queryset = Person.objects.all()  # type: ignore[attr-defined]

    def clean_addresses(self) -> tuple[str, ...]:
        """Return the addresses named, folded."""
        try:
            return tuple(fold(line) for line in _lines(self.cleaned_data["addresses"]))
        except BadInput as error:
            raise forms.ValidationError(str(error)) from None

    def clean_readers(self) -> tuple[Person, ...]:
        """Return the people whose addresses are named."""
        found = {line: who_had(line, self._now) for line in _lines(self.cleaned_data["readers"])}
        if unknown := [line for line, person in found.items() if person is None]:
            raise forms.ValidationError(f"Nobody here holds {unknown[0][:80]} now. Check its spelling.")
        return tuple(person for person in found.values() if person is not None)

    def clean(self) -> dict[str, Any]:
        """Hold that somebody is named, that the days are in order, and that the purpose goes so deep."""
        found = super().clean()
        if not found.get("people") and not found.get("addresses") and "addresses" not in self.errors:
            self.add_error("people", "Name at least one person, or an address that nobody holds.")
        start, until = found.get("start"), found.get("until")
        if start and until and until < start:
            self.add_error("until", "The last day is before the first; put the earlier day first.")
        if start and begins(start) >= self._now:
            self.add_error("start", "Nothing is recorded yet of that day; begin earlier.")
        self._hold_depth(found)
        return found

    def _hold_depth(self, found: dict[str, Any]) -> None:
        allowance = ALLOWANCES.get(found.get("purpose", ""))
        if allowance is None or found.get("depth") != CONTENT:
            return
        if not allowance.content:
            self.add_error("depth", "This purpose sees envelopes only.")
        elif allowance.content_needs_case and not found.get("case", "").strip() and "case" not in self.errors:
            self.add_error(
                "case", "With this purpose, messages open only for a named case or alarm: name it."
            )


class ShieldedForm(PermissionForm):
    """The second reason: to open what an earlier permit counted and left sealed."""

    days = _days()


class ExemptionForm(PermissionForm):
    """A request to visit sites that are closed, for work."""

    sites = _text(
        "Sites",
        "Name at least one site by its host name, for instance news.example.",
        "Host names, one a line, such as news.example. Not whole addresses.",
    )
    start = _day("From day")
    until = _day("To day, included")
    days = _days()

    def clean_sites(self) -> tuple[str, ...]:
        """Return the host names."""
        return tuple(line.lower() for line in _lines(self.cleaned_data["sites"]))

    def clean(self) -> dict[str, Any]:
        """Hold that the days are in order."""
        found = super().clean()
        start, until = found.get("start"), found.get("until")
        if start and until and until < start:
            self.add_error("until", "The last day is before the first; put the earlier day first.")
        return found


class NarrowForm(PlainForm):
    """What an officer leaves of a request."""

    people = forms.MultipleChoiceField(required=False)
    start = _day("From day")
    until = _day("To day, included")
    streams = forms.MultipleChoiceField(error_messages={"required": "Leave at least one."})
    depth = forms.ChoiceField(label="How deep", choices=DEPTHS)
    days = _days()
    reason = _text("Why you narrow it", "", "Whoever asked reads this.", rows=2)
    advice = _text("Exemption or advice", "", "Needed where the law demands an answer.", rows=2)

    def __init__(
        self, *args: Any, windows: Sequence[tuple[str, str]], streams: Sequence[str], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.fields["people"].choices = windows  # type: ignore[attr-defined]
        named = [(name, STREAM_WORDS.get(name, name)) for name in streams]
        self.fields["streams"].choices = named  # type: ignore[attr-defined]
        self.fields["streams"].required = bool(streams)

    def clean(self) -> dict[str, Any]:
        """Hold that the days are in order."""
        found = super().clean() or {}
        start, until = found.get("start"), found.get("until")
        if start and until and until < start:
            self.add_error("until", "The last day is before the first; put the earlier day first.")
        return found


class ReasonForm(PlainForm):
    """Why a request is refused or withdrawn, a permit revoked, a delay ended."""

    reason = _text("Why", "Say why. It is kept with the permit.")


class RefusalForm(ReasonForm):
    """Why a request is refused."""

    advice = _text(
        "Exemption or advice",
        "",
        "A request the law demands (subject access, information, an order) needs the exemption you rely on, or the "
        "data protection officer’s advice.",
        rows=2,
    )


class DelayForm(ReasonForm):
    """Until when the people looked at are not told, and on which ground."""

    until = _day(
        "They are told on", "At most three months from now; then it is ordered again or they are told."
    )
    ground = forms.ChoiceField(
        choices=[(name, label) for name, label, _ in GROUNDS],
        error_messages={"required": "Choose the ground."},
    )


class AwayForm(PlainForm):
    """Which officer is away, and until which day; no day means back now."""

    officer = forms.ChoiceField(label="Who", error_messages={"required": "Choose who is away."})
    until = forms.DateField(
        label="Away until",
        required=False,
        help_text="The day they are back. Leave it empty when they are back now.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _DAY_WRONG},
    )

    def __init__(self, *args: Any, officers: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["officer"].choices = officers  # type: ignore[attr-defined]


class UploadForm(PlainForm):
    """A signed approval made elsewhere."""

    signed = forms.FileField(
        label="The signed approval",
        help_text="The file that “muniment approve” wrote.",
        error_messages={"required": "Choose the file that “muniment approve” wrote."},
    )


def present_people(now: datetime | None = None) -> Any:
    """Return everybody who is here, by name."""
    return Person.objects.filter(at(now or datetime.now(UTC))).order_by("name")
