"""My record shows a person their own and nobody else's; what they say to it is recorded and can be undone."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client

from muniment.account.notice_text import Dispute, Mark, entry_of
from muniment.account.trail import trail_of
from muniment.answer.look import Look, look_entry
from muniment.answer.room_wire import Looker
from muniment.permit.delays import delay_notice
from tests.permit.desk import OUTSIDE, STELLA, TOMAS, Desk

DAY_MS = 86_400_000
PageOf = Callable[[str], Client]


def text_of(client: Client, place: str, status: int = 200) -> str:
    answer = client.get(place)
    assert answer.status_code == status, answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def looked_at(desk: Desk, *entries: int, about: tuple[str, ...] = ("tomas",)) -> str:
    number = desk.ask(people=tuple(desk.person(name) for name in about)).permit.number
    desk.approve(number)
    looker = Looker(str(desk.person("ida").pk), "Ida Byte", "IT support")
    desk.office.recorder.append([look_entry(number, 1, looker, Look(act="content", entries=entries))])
    return number


def test_it_lists_ones_own_messages_and_no_other(served: Desk, page_of: PageOf) -> None:
    served.mail(TOMAS, OUTSIDE)
    served.mail(STELLA, OUTSIDE)
    served.clock.advance(seconds=60)
    text = text_of(page_of("tomas"), "/my-record")
    assert "mail-gateway/1" in text and "mail-gateway/2" not in text
    assert "delegation are not connected" in text
    assert "1 to 1 of 1" in text_of(page_of("tomas"), "/my-record/mail")


def test_nobody_opens_the_line_of_another_or_of_another_day(served: Desk, page_of: PageOf) -> None:
    """R-5.2-f"""
    index = served.mail(STELLA, OUTSIDE)
    served.clock.advance(seconds=60)
    stella, tomas = page_of("stella"), page_of("tomas")
    assert stella.get(f"/my-record/mail/2026-11-01/{index}").status_code == 200
    for client, day in ((tomas, "2026-11-01"), (stella, "2026-10-31")):
        for method in (client.get, client.post):
            answer = method(f"/my-record/mail/{day}/{index}", {"mark": "private"})
            assert answer.status_code == 404
    assert trail_of(served.home).marks == {}
    for nonsense in ("yesterday", "2026-13-01", "0000-00-00", "9999-12-31"):
        assert stella.get(f"/my-record/mail/{nonsense}/{index}").status_code in (400, 404)


def test_a_message_is_marked_private_and_the_mark_lifted_by_the_same_road(
    served: Desk, page_of: PageOf
) -> None:
    """R-5.3-m"""
    index = served.mail(TOMAS, OUTSIDE)
    served.clock.advance(seconds=60)
    client, place = page_of("tomas"), f"/my-record/mail/2026-11-01/{index}"
    me = str(served.person("tomas").pk)
    assert client.post(place, {"mark": "private"}).status_code == 302
    assert trail_of(served.home).marked_by(me) == {index}
    assert "Lift the mark" in text_of(client, place)
    assert client.post(place, {"mark": "private"}).status_code == 302
    assert trail_of(served.home).marked_by(me) == frozenset()


def test_an_entry_is_disputed_and_the_data_protection_officers_answer_is_read(
    served: Desk, page_of: PageOf
) -> None:
    """R-4.1-f"""
    index = served.mail(TOMAS, OUTSIDE)
    served.clock.advance(seconds=60)
    client, place = page_of("tomas"), f"/my-record/mail/2026-11-01/{index}"
    assert client.post(place, {"ground": ""}).status_code == 400
    assert client.post(place, {"ground": "not-mine", "text": "x" * 501}).status_code == 400
    assert client.post(place, {"ground": "not-mine", "text": "I was <b>away</b>."}).status_code == 302
    [placed] = trail_of(served.home).open_disputes()
    assert (placed.dispute.entry, placed.dispute.ground) == (index, "not-mine")
    assert b"I was &lt;b&gt;away&lt;/b&gt;." in client.get(place).content
    assert page_of("olive").get(f"/disputes/{placed.index}").status_code == 403


def test_a_look_is_told_at_five_and_can_be_asked_about(served: Desk, page_of: PageOf) -> None:
    index = served.mail(TOMAS, OUTSIDE)
    number = looked_at(served, index)
    tomas = page_of("tomas")
    assert number not in text_of(tomas, "/my-record")
    assert tomas.get(f"/my-record/looks/{number}").status_code == 404
    served.clock.advance(seconds=7 * 3600)
    text = text_of(tomas, "/my-record")
    assert number in text and "one message" in text and "Morgan Example" in text
    for hidden in ("Ida", "2026/17", "Orders were placed"):
        assert hidden not in text
    assert page_of("stella").get(f"/my-record/looks/{number}").status_code == 404
    assert tomas.post(f"/my-record/looks/{number}", {"ground": "look", "text": ""}).status_code == 302
    assert trail_of(served.home).open_disputes()[0].dispute.permit == number


def test_a_delayed_look_is_not_there_until_the_order_ends(served: Desk, page_of: PageOf) -> None:
    """R-5.3-c"""
    index = served.mail(TOMAS, OUTSIDE)
    number = looked_at(served, index)
    until = served.clock() + 10 * DAY_MS
    delay_notice(served.office, number, "managing-director", until, "prejudice", "He would delete it.")
    served.clock.advance(days=9)
    tomas = page_of("tomas")
    assert number not in text_of(tomas, "/my-record")
    assert tomas.get(f"/my-record/looks/{number}").status_code == 404
    served.clock.advance(days=1)
    assert "An order kept it from you until Wednesday 11 November 2026" in text_of(tomas, "/my-record")


def test_of_a_permit_over_two_people_each_is_told_of_their_own_messages(
    served: Desk, page_of: PageOf
) -> None:
    his, both = served.mail(TOMAS, OUTSIDE), served.mail(TOMAS, STELLA)
    looked_at(served, his, both, about=("tomas", "stella"))
    served.clock.advance(seconds=7 * 3600)
    assert "two messages" in text_of(page_of("tomas"), "/my-record")
    text = text_of(page_of("stella"), "/my-record")
    assert "one message" in text and "Tomás" not in text


def test_a_person_without_an_address_or_mail_is_told_so(served: Desk, page_of: PageOf) -> None:
    assert "No mail with your address in the last month" in text_of(page_of("stella"), "/my-record")


def test_only_get_and_post_are_answered(page_of: PageOf) -> None:
    assert page_of("tomas").post("/my-record").status_code == 405
    assert page_of("tomas").put("/my-record/mail/2026-11-01/1").status_code == 405


def test_there_is_an_end_to_what_one_person_may_say(served: Desk, page_of: PageOf) -> None:
    index = served.mail(TOMAS, OUTSIDE)
    served.clock.advance(seconds=60)
    tomas, stella, me = page_of("tomas"), page_of("stella"), str(served.person("tomas").pk)
    place = f"/my-record/mail/2026-11-01/{index}"
    said = entry_of(Dispute(by=me, entry=index, permit="", ground="wrong", text=""))
    served.office.recorder.append([said] * 20)
    answer = tomas.post(place, {"ground": "wrong", "text": ""})
    assert answer.status_code == 409 and "20 disputes of yours wait" in answer.content.decode()
    other = served.mail(STELLA, OUTSIDE)
    served.office.recorder.append(
        [entry_of(Mark(entry=other, by=str(served.person("stella").pk), mark="private"))] * 200
    )
    theirs = f"/my-record/mail/2026-11-01/{other}"
    assert stella.post(theirs, {"mark": "private"}).status_code == 409
    served.clock.advance(days=1)
    assert stella.post(theirs, {"mark": "private"}).status_code == 302
