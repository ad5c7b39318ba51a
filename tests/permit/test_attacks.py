"""Trying to get round the permit: each of these was tried on a real recorder, and opens nothing."""

from __future__ import annotations

import msgspec
import pytest
from django.db import connection

from muniment.permit import rooms
from muniment.permit.acts import approval_request, approve, end_due, refuse, revoke
from muniment.permit.asking import query_of
from muniment.permit.models import Permit
from muniment.permit.narrowing import Narrowing, narrow
from muniment.permit.release import read_bundle, sign
from muniment.permit.rows import check_rows, rebuild
from muniment.permit.state import Doing
from muniment.policy.errors import BadInput, Conflict, Missing, MunimentError, Refused, Tampered
from muniment.record import permit_text
from muniment.record.entry import Entry, Kind, Stream
from tests.permit.desk import OUTSIDE, STELLA, TOMAS, Desk, private_key

DAY_MS = 86_400_000


def refused(desk: Desk, signed: bytes) -> Refused:
    with pytest.raises(Refused) as found:
        approve(desk.office, signed)
    return found.value


def asked(desk: Desk, asks: str = "ida", about: str = "tomas") -> str:
    desk.mail(TOMAS, OUTSIDE)
    desk.mail("olive@training.example", OUTSIDE)
    return desk.ask(asks, about).permit.number


def test_approval_by_the_person_looked_at_is_refused(desk: Desk) -> None:
    """R-5.2-g"""
    number = asked(desk, about="olive")
    assert refused(desk, desk.sign(number, "olive")).clause == "R-5.2-g"
    assert desk.standing(number).state == "asked"


def test_approval_by_the_person_who_asks_is_refused(desk: Desk) -> None:
    """R-5.2-g"""
    number = asked(desk, asks="olive")
    assert refused(desk, desk.sign(number, "olive")).clause == "R-5.2-g"


def test_approval_by_it_support_is_refused(desk: Desk) -> None:
    """R-5.2-f: also when IT Support writes its own key into the approval."""
    number = asked(desk)
    bundle = read_bundle(approval_request(desk.office, number))
    with pytest.raises(Missing, match="not sealed to your key"):
        sign(bundle, "ida", private_key("ida"), desk.clock())
    forged = permit_text.Approval(
        origin=bundle.request.origin,
        number=number,
        revision=1,
        request_sha256=permit_text.digest(bundle.text),
        selection_sha256=bundle.request.selection_sha256,
        release_sha256="0" * 64,
        officer="ida",
        decided_ms=desk.clock(),
        ends_ms=desk.clock() + 14 * DAY_MS,
    )
    assert "no officer" in str(refused(desk, signed_by(forged, "ida")))


def signed_by(approval: permit_text.Approval, owner: str) -> bytes:
    from muniment.record.keyfile import signing_key_of

    text = permit_text.encode(approval)
    signature = permit_text.sign_approval(text, signing_key_of(private_key(owner)))
    document = permit_text.SignedApproval(approval=text, signature=signature, release=b"x" * 48)
    return permit_text.encode(document).encode()


def test_approval_in_an_officers_name_with_another_key_is_refused(desk: Desk) -> None:
    number = asked(desk)
    as_morgan = desk.sign(number, "morgan", key="olive")
    assert "signature does not fit" in str(refused(desk, as_morgan))


def test_the_alternate_does_not_approve_before_it_is_their_turn(desk: Desk) -> None:
    number = asked(desk)
    assert "is the alternate" in str(refused(desk, desk.sign(number, "chris")))
    desk.clock.advance(days=4)
    approve(desk.office, desk.sign(number, "chris"))
    assert desk.standing(number).state == "approved"


def test_an_approval_counts_once(desk: Desk) -> None:
    number = asked(desk)
    signed = desk.sign(number)
    approve(desk.office, signed)
    with pytest.raises(Conflict, match="approved already"):
        approve(desk.office, signed)
    assert [event.act.act for event in desk.standing(number).events] == [Doing.ASK, Doing.APPROVE]


def test_an_approval_that_was_signed_long_ago_is_not_taken(desk: Desk) -> None:
    number = asked(desk)
    signed = desk.sign(number)
    desk.clock.advance(days=15)
    with pytest.raises(Conflict, match="more than a day"):
        approve(desk.office, signed)


def test_nothing_opens_after_the_permits_days_are_over(desk: Desk) -> None:
    """Whether or not anything ended it: the recorder's own clock decides."""
    desk.mail(TOMAS, OUTSIDE)
    made = desk.ask(days=2)
    desk.approve(made.permit.number)
    desk.clock.advance(days=2)
    with pytest.raises(Refused), desk.room(made.permit.number, made.words):
        pass
    assert [permit.number for permit in end_due(desk.office)] == [made.permit.number]
    assert desk.standing(made.permit.number).state == "ended"
    assert end_due(desk.office) == []
    with pytest.raises(Refused), desk.room(made.permit.number, made.words):
        pass


def test_nothing_opens_after_an_officer_has_revoked(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    made = desk.ask()
    desk.approve(made.permit.number)
    revoke(desk.office, made.permit.number, "office-manager", "The supplier found its mistake.")
    with pytest.raises(Refused), desk.room(made.permit.number, made.words):
        pass
    with pytest.raises(Conflict):
        approve(desk.office, desk.sign(made.permit.number))


def test_an_officer_who_is_looked_at_cannot_revoke_the_look(desk: Desk) -> None:
    number = asked(desk, about="olive")
    desk.approve(number, "morgan")
    with pytest.raises(Refused):
        revoke(desk.office, number, "office-manager", "I would rather not.")


def test_an_approval_of_an_older_revision_is_not_taken(desk: Desk) -> None:
    number = asked(desk)
    before = desk.sign(number)
    narrow(desk.office, number, 1, "managing-director", Narrowing(days=3), "Three days will do.")
    with pytest.raises(Conflict, match="narrowed meanwhile"):
        approve(desk.office, before)
    with pytest.raises(Conflict, match="narrowed meanwhile"):
        refuse(desk.office, number, 1, "managing-director", "No.")
    approve(desk.office, desk.sign(number))


def test_a_scope_tampered_between_display_and_signature_is_not_taken(desk: Desk) -> None:
    """The officer signs a text that somebody on the way made wider: it is not the one the record holds."""
    number = asked(desk)
    document = permit_text.parse_approval_request(approval_request(desk.office, number))
    request = permit_text.parse_request(document.request)
    wider = msgspec.structs.replace(
        request,
        windows=(*request.windows, msgspec.structs.replace(request.windows[0], address=STELLA)),
    )
    text = permit_text.encode(wider)
    data = permit_text.encode(msgspec.structs.replace(document, request=text)).encode()
    signed = sign(read_bundle(data), "managing-director", private_key("morgan"), desk.clock())
    with pytest.raises(Conflict, match="another text"):
        approve(desk.office, signed)


def test_a_selection_widened_on_the_disk_is_neither_shown_nor_approved(desk: Desk) -> None:
    number = asked(desk)
    before = desk.sign(number)
    request = desk.standing(number).request
    everything = desk.office.count(
        msgspec.structs.replace(
            query_of(request), windows=(query_of(request).windows[0], *windows_of_stella(request))
        )
    )
    path = rooms.folder_of(desk.home, number, 1) / rooms.SELECTION
    path.write_bytes(everything.selection + b"\x00" * 19)
    with pytest.raises(Tampered):
        approval_request(desk.office, number)
    with pytest.raises(Tampered):
        approve(desk.office, before)


def windows_of_stella(request: permit_text.PermitRequest):  # type: ignore[no-untyped-def]
    return (msgspec.structs.replace(query_of(request).windows[0], address=STELLA),)


def test_rows_widened_by_sql_open_nothing_more_and_are_found(desk: Desk) -> None:
    """The rows only repeat the record: what they say is shown at most, and never asked when something is opened."""
    wanted = desk.mail(TOMAS, OUTSIDE)
    neighbour = desk.mail(STELLA, OUTSIDE)
    made = desk.ask()
    number = made.permit.number
    desk.approve(number)
    text = desk.standing(number).text
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE permit_permit SET request = %s, entries = 2, ends = '2099-01-01' WHERE number = %s",
            [text.replace(TOMAS, STELLA), number],
        )
        cursor.execute("UPDATE permit_permitsubject SET person = 'x', name = 'Nobody'")
    with desk.room(number, made.words) as room:
        assert room.open(wanted).content
        with pytest.raises(Missing):
            room.open(neighbour)
    found = "\n".join(check_rows(desk.home))
    assert all(
        word in found for word in ("another request", "another entries", "another ends", "other people")
    )
    assert rebuild(desk.home) == 1 and check_rows(desk.home) == []


def test_a_row_that_says_approved_opens_nothing(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    made = desk.ask()
    Permit.objects.filter(number=made.permit.number).update(state="approved")
    with pytest.raises(MunimentError), desk.room(made.permit.number, made.words):
        pass
    assert desk.standing(made.permit.number).state == "asked"
    assert "another state" in "".join(check_rows(desk.home))


def test_a_row_of_a_permit_that_nobody_asked_for_is_found_and_taken_away(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    row = desk.ask().permit
    row.pk, row.number = None, "2026-099"
    row.save()
    assert check_rows(desk.home) == [
        "permit 2026-099 is in the database and not in the record; it opens nothing"
    ]
    rebuild(desk.home)
    assert not Permit.objects.filter(number="2026-099").exists()


def test_acts_that_cannot_follow_are_findings_and_change_nothing(desk: Desk) -> None:
    """Somebody at the recorder's socket writes acts of their own into the stream."""
    number = asked(desk)
    made = desk.standing(number)
    approval = permit_text.parse_approval(permit_text.parse_signed_approval(desk.sign(number)).approval)
    strange = msgspec.structs.replace(approval, request_sha256="0" * 64)
    acts = [
        b"no act at all",
        act(made, "revoke", reason="Not in force"),
        act(made, "approve", approval=permit_text.encode(approval), signature="A" * 88, by="olive"),
        act(made, "approve", approval=permit_text.encode(strange), signature="A" * 88),
        act(made, "ask", request=made.text),
        act(made, "narrow", request=made.text, reason="The same text again", revision=2),
    ]
    desk.office.recorder.append(
        [Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=plain) for plain in acts]
    )
    history = desk.office.history()
    assert len(history.findings) == len(acts)
    assert history.permit(number).state == "asked" and history.permit(number).approval is None
    assert len(check_rows(desk.home)) == len(acts)


def act(standing, name: str, **members: object) -> bytes:  # type: ignore[no-untyped-def]
    values = {
        "format": "muniment-permit-act/1",
        "act": name,
        "number": standing.number,
        "revision": 1,
        "by": "managing-director",
        "at_ms": 1,
    }
    return msgspec.json.encode(values | members)


def test_a_forged_approve_act_neither_counts_nor_opens_although_it_is_in_the_record(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    made = desk.ask()
    standing = desk.standing(made.permit.number)
    signed = desk.sign(standing.number)
    document = permit_text.parse_signed_approval(signed)
    forged = act(standing, "approve", approval=document.approval, signature="A" * 86 + "==")
    desk.office.recorder.append([Entry(stream=Stream.PERMITS, kind=Kind.APPROVAL, plain=forged)])
    history = desk.office.history()
    assert history.permit(standing.number).state == "asked" and "counts for nothing" in history.findings[0]
    spoilt = msgspec.structs.replace(document, signature=bytes(64))
    rooms.write_approval(desk.home, standing.request, permit_text.encode(spoilt).encode())
    with pytest.raises(Refused, match="signature does not fit"), desk.room(standing.number, made.words):
        pass


def test_an_approval_of_an_exemption_does_not_approve_a_look(desk: Desk) -> None:
    number = asked(desk)
    document = permit_text.parse_signed_approval(desk.sign(number))
    approval = permit_text.parse_approval(document.approval)
    bare = msgspec.structs.replace(approval, release_sha256="")
    text = signed_by(bare, "morgan")
    with pytest.raises(BadInput, match="comes with its keys"):
        approve(desk.office, text)


def test_days_that_the_officer_was_not_shown_are_not_taken(desk: Desk) -> None:
    number = asked(desk)
    approval = permit_text.parse_approval(permit_text.parse_signed_approval(desk.sign(number)).approval)
    longer = msgspec.structs.replace(approval, ends_ms=approval.ends_ms + DAY_MS)
    with pytest.raises(Conflict, match="ends on another day"):
        approve(desk.office, signed_by(longer, "morgan"))


def test_a_person_without_the_words_opens_no_room(desk: Desk) -> None:
    desk.mail(TOMAS, OUTSIDE)
    made = desk.ask()
    desk.approve(made.permit.number)
    other = desk.ask().words
    with pytest.raises(BadInput), desk.room(made.permit.number, other):
        pass
