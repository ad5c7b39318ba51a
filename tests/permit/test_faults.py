"""Each step of an act is broken twice: it fails and nothing was stored; it fails and it was stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from muniment.permit import rooms
from muniment.permit.acts import approve, ask, withdraw
from muniment.permit.models import Permit
from muniment.permit.office import Office
from muniment.permit.rows import check_rows, mend_new
from muniment.policy.errors import Conflict, Unavailable
from muniment.record.disk import Disk
from muniment.record.entry import Entry, Receipt
from tests.permit.desk import OUTSIDE, TOMAS, Desk


class Faulty:
    """The recorder, whose answer to an append is lost on the way, after it was stored or before."""

    def __init__(self, desk: Desk, *, is_stored: bool) -> None:
        self._recorder, self._is_stored = desk.office.recorder, is_stored
        self.select = desk.office.recorder.select

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        if self._is_stored:
            self._recorder.append(entries)
        raise Unavailable("the recorder closed the connection")


def faulty(desk: Desk, *, is_stored: bool) -> Office:
    return replace(desk.office, recorder=Faulty(desk, is_stored=is_stored))


def acts(desk: Desk, number: str) -> list[str]:
    return [event.act.act.value for event in desk.standing(number).events]


def test_a_question_that_was_not_stored_is_asked_again_under_the_same_number(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    with pytest.raises(Unavailable):
        ask(faulty(desk, is_stored=False), desk.asking())
    assert Permit.objects.count() == 0 and desk.office.history().permits == {}
    asked = desk.ask()
    assert asked.permit.number == "2026-001"
    desk.approve("2026-001")
    with desk.room("2026-001", asked.words) as room:
        assert len(room) == 1


def test_a_question_that_was_stored_after_all_is_seen_and_can_be_withdrawn(desk: Desk) -> None:
    """Nobody was shown its words, so its room never opens: who asked sees it and asks once more."""
    desk.mail(TOMAS, OUTSIDE)
    with pytest.raises(Unavailable):
        ask(faulty(desk, is_stored=True), desk.asking())
    assert Permit.objects.count() == 0
    assert mend_new(desk.home, desk.clock()) == ["2026-001"]
    assert desk.ask().permit.number == "2026-002"
    withdraw(desk.office, "2026-001", str(desk.person("ida").pk), "Its answer was lost.")
    assert check_rows(desk.home) == []


@pytest.mark.parametrize("is_stored", [False, True])
def test_an_approval_whose_answer_is_lost_counts_once(desk: Desk, is_stored: bool) -> None:
    desk.mail(TOMAS, OUTSIDE)
    asked = desk.ask()
    number = asked.permit.number
    signed = desk.sign(number)
    with pytest.raises(Unavailable):
        approve(faulty(desk, is_stored=is_stored), signed)
    assert Permit.objects.get().state == "asked"
    if is_stored:
        with pytest.raises(Conflict, match="approved already"):
            approve(desk.office, signed)
        mend_new(desk.home, desk.clock())
    else:
        approve(desk.office, signed)
    assert acts(desk, number) == ["ask", "approve"] and check_rows(desk.home) == []
    with desk.room(number, asked.words) as room:
        assert len(room) == 1


@contextmanager
def no_room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(*_: object, **__: object) -> None:
        raise Unavailable("could not write: no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Disk, "write_durable", fail)
        yield


@pytest.mark.parametrize("act", [lambda desk: desk.ask(), lambda desk: approve(desk.office, desk.signed)])
def test_what_the_disk_does_not_take_is_not_recorded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, act: Callable[[Desk], object]
) -> None:
    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    desk.signed = desk.sign(number)  # type: ignore[attr-defined]
    with no_room_on_the_disk(monkeypatch), pytest.raises(Unavailable):
        act(desk)
    assert list(desk.office.history().permits) == [number]
    assert acts(desk, number) == ["ask"] and check_rows(desk.home) == []
    approve(desk.office, desk.signed)  # type: ignore[attr-defined]


def test_files_of_a_room_are_their_owners_alone(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    number = desk.ask().permit.number
    desk.approve(number)
    folder = rooms.folder_of(desk.home, number, 1)
    assert {path.name for path in folder.iterdir()} == {
        rooms.REQUEST,
        rooms.SELECTION,
        rooms.KEY,
        rooms.APPROVAL,
    }
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {0o600} and folder.stat().st_mode & 0o777 == 0o700
