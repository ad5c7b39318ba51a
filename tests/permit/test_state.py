"""Nothing follows what is final, and nothing is in force that was not approved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.permit.state import OPEN, Doing, State, follow
from muniment.policy.errors import Conflict

FINAL = {State.REFUSED, State.WITHDRAWN, State.REVOKED, State.ENDED}


def test_a_permit_begins_by_being_asked_for() -> None:
    assert follow(None, Doing.ASK) is State.ASKED
    for doing in set(Doing) - {Doing.ASK}:
        with pytest.raises(Conflict):
            follow(None, doing)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_follows_what_is_final_but_the_delay_of_its_notice(state: State) -> None:
    for doing in set(Doing) - {Doing.DELAY, Doing.END_DELAY}:
        with pytest.raises(Conflict):
            follow(state, doing)


@given(st.lists(st.sampled_from(Doing), max_size=12))
def test_approval_comes_once_and_only_out_of_an_open_request(doings: list[Doing]) -> None:
    state: State | None = None
    approvals = 0
    for doing in doings:
        before = state
        try:
            state = follow(state, doing)
        except Conflict:
            continue
        if doing is Doing.APPROVE:
            assert before in OPEN
            approvals += 1
        assert before not in FINAL or state is before
    assert approvals <= 1
