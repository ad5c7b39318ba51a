"""A narrowed request opens part of what the request before it opened, and never an entry more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.permit import rooms
from muniment.permit.narrowing import Narrowing, common, narrow, narrowed
from muniment.policy.errors import BadInput, Conflict, Missing, Refused
from muniment.record.permit_selection import Item, parse_selection
from tests.permit.desk import OUTSIDE, STELLA, TOMAS, Desk
from tests.permit.samples import STELLA as STELLA_ID
from tests.permit.samples import TOMAS as TOMAS_ID
from tests.permit.samples import request, window

BOTH = (window(TOMAS, TOMAS_ID), window(STELLA, STELLA_ID), window("nobody@training.example"))
WIDE = request(windows=BOTH, depth="content", days=14, from_ms=100, until_ms=900)


def test_what_is_kept_is_what_was_asked_for_and_no_more() -> None:
    made = narrowed(WIDE, Narrowing(people=(TOMAS_ID,), days=3, until_ms=500, depth="envelope"))
    assert [each.address for each in made.windows] == [TOMAS, "nobody@training.example"]
    assert (made.revision, made.days, made.from_ms, made.until_ms, made.depth) == (3, 3, 100, 500, "envelope")
    assert made.room_key == WIDE.room_key


@pytest.mark.parametrize(
    "wider",
    [
        {"days": 15},
        {"from_ms": 99},
        {"until_ms": 901},
        {"streams": ("mail-refused",)},
        {"sites": ("closed.example",)},
    ],
)
def test_nothing_is_made_wider(wider: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        narrowed(WIDE, Narrowing(**wider))


def test_an_envelope_does_not_become_content() -> None:
    with pytest.raises(BadInput, match="content would be more"):
        narrowed(msgspec.structs.replace(WIDE, depth="envelope"), Narrowing(depth="content"))


def test_a_request_that_would_stay_as_it_is_or_become_empty_is_not_narrowed() -> None:
    with pytest.raises(BadInput, match="nothing would be narrower"):
        narrowed(WIDE, Narrowing(days=14))
    with pytest.raises(BadInput, match="nothing would be left"):
        narrowed(WIDE, Narrowing(addresses=()))


ITEMS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([1, 3, 6])), unique_by=lambda pair: pair[0]
).map(lambda pairs: [Item(idx, 2, 1, idx, sections) for idx, sections in sorted(pairs)])


@given(ITEMS, ITEMS)
def test_what_two_selections_share_is_within_both(before: list[Item], after: list[Item]) -> None:
    known = {item.idx: item.sections for item in before}
    later = {item.idx: item.sections for item in after}
    for item in common(before, after):
        opened = item.sections & 3
        assert opened & ~known[item.idx] == 0 and opened & ~later[item.idx] == 0
        assert item.sections in (1, 3, 6)


def test_a_narrowed_request_opens_less_with_the_words_of_the_first(desk: Desk) -> None:
    wanted = desk.mail(TOMAS, OUTSIDE)
    dropped = desk.mail(STELLA, OUTSIDE)
    asked = desk.ask(people=(desk.person("tomas"), desk.person("stella")))
    number = asked.permit.number
    assert asked.permit.entries == 2
    desk.mail(TOMAS, OUTSIDE)  # recorded since: narrowing does not take it in
    keep = Narrowing(people=(str(desk.person("tomas").pk),))
    row = narrow(desk.office, number, 1, "managing-director", keep, "The student has no part in it.")
    assert (row.state, row.revision, row.entries) == ("narrowed", 2, 1)
    before = parse_selection((rooms.folder_of(desk.home, number, 1) / rooms.SELECTION).read_bytes())
    after = parse_selection(rooms.read_selection(desk.home, desk.standing(number).request))
    assert set(after) < set(before)
    desk.approve(number)
    with desk.room(number, asked.words) as room:
        assert room.open(wanted).content
        with pytest.raises(Missing):
            room.open(dropped)


def test_the_requester_may_narrow_and_a_stranger_may_not(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    ida, hana = (str(desk.person(name).pk) for name in ("ida", "hana"))
    with pytest.raises(Refused):
        narrow(desk.office, number, 1, hana, Narrowing(days=3), "Shorter")
    narrow(desk.office, number, 1, ida, Narrowing(days=3), "Shorter")
    with pytest.raises(Conflict, match="revision 1"):
        narrow(desk.office, number, 1, ida, Narrowing(days=2), "Shorter still")


def test_what_the_law_demands_is_narrowed_with_advice_only(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask(purpose="SAR", case="SAR-4").permit.number
    with pytest.raises(Refused, match="duty in law"):
        narrow(desk.office, number, 1, "managing-director", Narrowing(days=3), "Too much.")
    narrow(
        desk.office, number, 1, "managing-director", Narrowing(days=3), "Too much.", advice="DPO, 3 November"
    )
    assert "DPO, 3 November" in desk.standing(number).events[-1].act.reason
