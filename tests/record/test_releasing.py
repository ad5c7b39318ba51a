"""The recorder gives its share by what the record says alone: every way round is refused. R-5.2-f, R-5.2-g."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from muniment.policy.errors import BadInput, Refused
from muniment.record import permit_text
from muniment.record.keyfile import signing_key_of
from muniment.record.opening import OpenRecord
from muniment.record.permit_selection import digest_of, pack_selection, parse_selection
from muniment.record.release_item import NO_BLADE
from tests.record.asking import (
    Permit,
    act,
    approve,
    permitted,
    private_key,
    query,
    release,
    request_for,
    selected,
)
from tests.record.recording import DAY_MS, Clock, check_record, mail, make_home, recording


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record(tmp_path, clock: Clock) -> Iterator[OpenRecord]:
    """A record with Tomás' mail and that of others between."""
    home = make_home(tmp_path, clock)
    with recording(home, clock) as opened:
        opened.append([mail(n) for n in range(4)])
        other = msgspec.structs.replace(mail(9), addresses=("stella@training.example",))
        opened.append([other, mail(5)])
        yield opened
    check_record(home)


def signed_by(owner: str, text: str) -> bytes:
    return permit_text.sign_approval(text, signing_key_of(private_key(owner)))


def record_it(record: OpenRecord, permit: Permit) -> Permit:
    record.append([permit.asking, permit.approving])
    return permit


def test_an_approved_permit_releases_exactly_its_entries(record: OpenRecord):
    permit = permitted(record)
    items = list(release(record, permit))
    assert [item.idx for item in items] == [item.idx for item in parse_selection(permit.selection)]
    assert len(items) == 5
    assert all(NO_BLADE not in (item.meta, item.content, item.facts) for item in items)


def test_an_envelope_releases_no_blade_of_content(record: OpenRecord):
    permit = permitted(record, query(depth="envelope"))
    assert {item.content for item in release(record, permit)} == {NO_BLADE}


def test_the_blades_of_two_entries_and_two_sections_differ(record: OpenRecord):
    items = list(release(record, permitted(record)))
    blades = [blade for item in items for blade in (item.meta, item.content, item.facts)]
    assert len(set(blades)) == len(blades)


def test_a_destroyed_key_is_not_released_and_hinders_nothing(record: OpenRecord):
    permit = permitted(record)
    first, *others = [item.idx for item in parse_selection(permit.selection)]
    record.retention.erase([first], authority="a court", clause="R-5.1-a")
    assert [item.idx for item in release(record, permit)] == others


# --- ways round rule 1


def test_an_edited_request_is_refused(record: OpenRecord):
    permit = permitted(record)
    for old, new in (('"content"', '"envelope"'), ("COMPLAINT", "SAR"), ("Tomás", "Nobody")):
        assert old in permit.request
        with pytest.raises(Refused, match="altered after the officer signed"):
            release(record, permit, request=permit.request.replace(old, new))


def test_another_selection_is_refused_under_either_hash(record: OpenRecord):
    permit = permitted(record)
    others = pack_selection(parse_selection(permit.selection)[:-1])
    with pytest.raises(Refused, match="altered after the officer signed"):
        release(record, permit, selection=others, selection_sha256=digest_of(others))
    with pytest.raises(BadInput, match="does not have the hash"):
        release(record, permit, selection=others)


def test_a_selection_wider_than_the_words_is_refused_although_it_was_signed(record: OpenRecord):
    record.publish()
    asked, wider = query(windows=()), query()
    found = selected(record, wider)
    request = request_for(found, asked, record.record.now_ms())
    permit = record_it(record, approve(record.home, request, found.selection, record.record.now_ms()))
    with pytest.raises(Refused, match="the words of the request do not cover"):
        release(record, permit)


def test_a_deeper_selection_than_the_words_is_refused_although_it_was_signed(record: OpenRecord):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    request = request_for(found, query(), now, depth="envelope")
    permit = record_it(record, approve(record.home, request, found.selection, now))
    with pytest.raises(Refused, match="the words of the request do not cover"):
        release(record, permit)


def test_a_selection_smaller_than_the_words_is_released(record: OpenRecord):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    part = pack_selection(parse_selection(found.selection)[1:3])
    request = request_for(found, query(), now, selection_sha256=digest_of(part), entries=2)
    permit = record_it(record, approve(record.home, request, part, now))
    assert len(list(release(record, permit))) == 2


def test_a_request_the_record_does_not_hold_is_refused(record: OpenRecord):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    permit = approve(record.home, request_for(found, query(), now), found.selection, now)
    record.append([permit.approving])
    with pytest.raises(Refused, match="does not hold this request"):
        release(record, permit)


def test_a_request_narrowed_after_its_approval_is_refused(record: OpenRecord):
    permit = permitted(record)
    narrower = permit_text.parse_request(permit.request)
    text = permit_text.encode(msgspec.structs.replace(narrower, revision=2))
    record.append([act("narrow", revision=2, request=text, reason="too much")])
    with pytest.raises(Refused, match="narrowed since"):
        release(record, permit)


def test_an_approval_for_an_older_revision_does_not_serve_the_newer(record: OpenRecord):
    permit = permitted(record)
    newer = permit_text.encode(msgspec.structs.replace(permit_text.parse_request(permit.request), revision=2))
    record.append([act("narrow", revision=2, request=newer, reason="too much")])
    with pytest.raises(Refused, match="altered after the officer signed"):
        release(record, permit, request=newer)


def test_a_permit_of_another_record_is_refused(record: OpenRecord):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    request = request_for(found, query(), now)
    foreign = msgspec.structs.replace(request, origin="other.example/record")
    approved = approve(record.home, request, found.selection, now)
    texts = approve_texts(foreign, now)
    permit = Permit(*texts, found.selection, approved.covers)
    record_it(record, permit)
    with pytest.raises(Refused, match="another record"):
        release(record, permit)


def approve_texts(request: permit_text.PermitRequest, now: int) -> tuple[str, str, bytes]:
    from tests.record.permits import approval

    text = permit_text.encode(request)
    signed = permit_text.encode(approval(request, decided_ms=now, ends_ms=now + request.days * DAY_MS))
    return text, signed, signed_by("managing-director", signed)


# --- ways round rule 2


@pytest.mark.parametrize("owner", ["office-manager", "thief", "recovery"])
def test_the_signature_of_another_key_is_refused(record: OpenRecord, owner: str):
    permit = permitted(record)
    signature = signed_by(owner, permit.approval)
    record.append([act("approve", approval=permit.approval, signature=base64.b64encode(signature).decode())])
    with pytest.raises(Refused, match="does not fit this approval"):
        release(record, permit, signature=signature)


@pytest.mark.parametrize("officer", ["recovery", "ida-byte", "", "managing-director "])
def test_somebody_who_is_no_officer_approves_nothing(record: OpenRecord, officer: str):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    permit = approve(record.home, request_for(found, query(), now), found.selection, now)
    text = permit.approval.replace('"officer":"managing-director"', f'"officer":"{officer}"')
    forged = msgspec_free(permit, approval=text, signature=signed_by("recovery", text))
    record_it(record, forged)
    with pytest.raises(Refused, match="no officer of this record"):
        release(record, forged)


def msgspec_free(permit: Permit, **changes: Any) -> Permit:
    return Permit(**({name: getattr(permit, name) for name in permit.__dataclass_fields__} | changes))


def test_an_approval_edited_after_it_was_signed_is_refused(record: OpenRecord):
    permit = permitted(record)
    approval = permit_text.parse_approval(permit.approval)
    longer = permit_text.encode(msgspec.structs.replace(approval, ends_ms=approval.ends_ms + 20 * DAY_MS))
    record.append([act("approve", approval=longer, signature=base64.b64encode(permit.signature).decode())])
    with pytest.raises(Refused, match="does not fit this approval"):
        release(record, permit, approval=longer)


def test_an_approval_the_record_does_not_hold_is_refused(record: OpenRecord):
    record.publish()
    found, now = selected(record, query()), record.record.now_ms()
    permit = approve(record.home, request_for(found, query(), now), found.selection, now)
    record.append([permit.asking])
    with pytest.raises(Refused, match="does not hold this approval"):
        release(record, permit)


def test_an_officer_who_was_replaced_approves_nothing_any_more(tmp_path, clock: Clock):
    from muniment.record.replacing import replace_officer
    from tests.organisation import policy_text, public_key_base64, signing_key_base64
    from tests.record.recording import SECRET

    home = make_home(tmp_path, clock)
    with recording(home, clock) as opened:
        opened.append([mail(1)])
        permit = permitted(opened)
        assert len(list(release(opened, permit))) == 1
    home.policy_file.write_text(
        policy_text(
            officers__0__public_key=public_key_base64("successor"),
            officers__0__signing_key=signing_key_base64("successor"),
        )
    )
    replace_officer(home, SECRET, officer_key=private_key("chair"), clock=clock)
    with recording(home, clock) as opened, pytest.raises(Refused, match="does not fit this approval"):
        release(opened, permit)
    check_record(home)
