"""What is sought never stands readable in an address, and an address opens nothing elsewhere than where it was made."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.views.enquiry import CLEARING, Enquiry, SealedAddress
from muniment.policy.errors import BadInput

ADDRESS = SealedAddress("the console's secret", "session-1", "person-1", "2026-003-1")
ENQUIRY = Enquiry(
    words='grievance "second look"', person="x@out.example", since=date(2026, 9, 7), reason="Who asked"
)
OTHERS = {
    "secret": replace(ADDRESS, secret="another"),
    "sign-in": replace(ADDRESS, sign_in="session-2"),
    "person": replace(ADDRESS, person="person-2"),
    "room": replace(ADDRESS, room="2026-003-2"),
    "a border moved": replace(ADDRESS, sign_in="session-1\0person-1", person=""),
}


def test_an_enquiry_comes_back_as_it_was() -> None:
    assert ADDRESS.open(ADDRESS.seal(ENQUIRY)) == ENQUIRY


def test_the_same_enquiry_twice_gives_two_addresses_and_neither_shows_a_word() -> None:
    first, second = ADDRESS.seal(ENQUIRY), ADDRESS.seal(ENQUIRY)
    assert first != second
    assert len(first) == len(second)
    assert b"grievance" not in base64.urlsafe_b64decode(first + "===")
    assert first.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("name", OTHERS)
def test_an_address_made_elsewhere_opens_nothing(name: str) -> None:
    with pytest.raises(BadInput, match="search again"):
        OTHERS[name].open(ADDRESS.seal(ENQUIRY))


def test_an_address_with_one_mark_changed_opens_nothing() -> None:
    ticket = ADDRESS.seal(ENQUIRY)
    for at in range(0, len(ticket) - 2, 7):
        changed = ticket[:at] + ("A" if ticket[at] != "A" else "B") + ticket[at + 1 :]
        with pytest.raises(BadInput):
            ADDRESS.open(changed)


@given(
    st.text(max_size=300) | st.binary(max_size=300).map(lambda data: base64.urlsafe_b64encode(data).decode())
)
def test_whatever_stands_in_an_address_it_is_bad_input_at_worst(text: str) -> None:
    with pytest.raises(BadInput):
        ADDRESS.open(text)


def test_a_search_for_the_other_side_says_so_where_its_reason_is_recorded() -> None:
    assert Enquiry(reason="Who asked").stated == "Who asked"
    assert Enquiry(reason="Who asked", clears=True).stated == f"{CLEARING}Who asked"
