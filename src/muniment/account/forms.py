"""What people may write on the pages of `account`: a mark, a dispute, its answer."""

from __future__ import annotations

from django import forms

from muniment.account.mine import GROUND_WORDS
from muniment.account.notice_text import LONGEST_TEXT


class MarkForm(forms.Form):
    """Marks one entry as private, or lifts the mark; which of the two follows from how it stands."""

    mark = forms.CharField(max_length=10)


class DisputeForm(forms.Form):
    """Says that something about an entry or a look is not right."""

    ground = forms.ChoiceField(
        choices=list(GROUND_WORDS.items()), error_messages={"required": "Choose what is not right."}
    )
    text = forms.CharField(
        required=False,
        max_length=LONGEST_TEXT,
        strip=True,
        error_messages={"max_length": f"Write it in {LONGEST_TEXT} characters or fewer."},
    )


class AnswerForm(forms.Form):
    """What became of a dispute, as the person who raised it reads it."""

    text = forms.CharField(
        max_length=LONGEST_TEXT,
        strip=True,
        error_messages={
            "required": "Write what became of it; the person reads this.",
            "max_length": f"Write it in {LONGEST_TEXT} characters or fewer.",
        },
    )
