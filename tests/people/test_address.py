"""One form of a mail address, in which people never differ by a capital."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.people.address import LONGEST, fold, fold_or_none
from muniment.policy.errors import BadInput


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Tomas@Training.Example", "tomas@training.example"),
        (" tomas@training.example. ", "tomas@training.example"),
        ("STRASSE@x.example", "strasse@x.example"),
        ("stra\u00dfe@x.example", "strasse@x.example"),
        ("Tom\u00e1s@x.example", "tom\u00e1s@x.example"),
        ("Toma\u0301s@x.example", "tom\u00e1s@x.example"),
        ("a@B\u00fccher.example", "a@xn--bcher-kva.example"),
        ("o'neil+list@x.example", "o'neil+list@x.example"),
    ],
)
def test_what_names_one_mailbox_folds_to_one_form(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    "written",
    ["", "a", "@x.example", "a@", "a b@x.example", "a@b@x.example", "<a@x.example>", "a@x..example", "a@-x.example",
     "a@x.example, b@x.example", "a\u202e@x.example", "a" * 65 + "@x.example", "a@" + "x." * 130 + "example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(BadInput, match="is not a mail address"):
        fold(written)
    assert fold_or_none(written) is None


@given(st.text(max_size=30).map(lambda text: f"{text}@x.example") | st.text(max_size=40))
def test_folding_twice_is_folding_once(written: str) -> None:
    folded = fold_or_none(written)
    if folded is not None:
        assert fold(folded) == folded
        assert len(folded) <= LONGEST
