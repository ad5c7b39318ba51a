"""A log and a record are compared in both directions; nothing that differs is passed over. R-2.1-b."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from muniment.cli.reconcile_words import headline, lines
from muniment.observe.mail_log import MailLog, Place
from muniment.observe.postfix_log import (
    Arrival,
    Delivery,
    Event,
    MessageId,
    Notice,
    Other,
    Queued,
    Relay,
    Removed,
    Unread,
)
from muniment.observe.reconciliation import TOLERANCE_MS, begins_ms, compare, numbers_in
from muniment.record.inquiry.passing import Passed
from muniment.record.statement.reconciliation import (
    LogFile,
    Reconciliation,
    parse_reconciliation,
    read_statement,
    statement_of,
)

T = 1_795_600_000_000
DOOR = Place("127.0.0.1", 2525)
AT_GATEWAY = Relay("gateway", "127.0.0.1", 2525)
ELSEWHERE = Relay("mx.outside.example", "192.0.2.1", 25)
FILE = LogFile(name="mail.log", sha256="0" * 64, bytes=1, lines=1)


def mid(queue_id: str, instance: str = "postfix") -> MessageId:
    return MessageId("mx", instance, queue_id)


def sent(
    queue_id: str, words: str = "250 2.0.0 Ok", relay: Relay = ELSEWHERE, at: int = T, **more: Any
) -> Delivery:
    message = mid(queue_id, more.get("instance", "postfix"))
    return Delivery(message, at, more.get("agent", "smtp"), relay, more.get("status", "sent"), words)


def named(queue_id: str, number: str, at: int = T) -> Delivery:
    return sent(queue_id, f"250 2.0.0 recorded {number}; Ok", AT_GATEWAY, at)


def entry(number: str, queue_id: str = "", **more: Any) -> Passed:
    found = {"captured_ms": T, "told_ms": T, "outcome": "accepted", "hop": "127.0.0.1:2580"} | more
    return Passed(number=number, queue_id=queue_id, **found)


def reckon(
    events: Sequence[Event], entries: Sequence[Passed], *, other_senders: bool = False
) -> Reconciliation:
    log = MailLog([DOOR], [Place("127.0.0.1", 10024)])
    for event in [Other(T - 1000), *events, Other(T + 60_000, "mx", "behind")]:
        log.take(event)
    present = {row.number: row for row in entries if row.number in numbers_in(log)}
    found = compare(log, [FILE], present, entries, other_senders=other_senders)
    entry = statement_of(parse_reconciliation(_builtins(found)), 7)
    assert read_statement(entry.plain) == found
    return found


def _builtins(found: Reconciliation) -> dict[str, Any]:
    import msgspec

    return dict(msgspec.to_builtins(found))


def whys(found: Reconciliation) -> list[str]:
    return [each.why for each in found.lacking]


def test_recipients_of_one_message_are_one_message() -> None:
    found = reckon([named("AAAAA1", "mail-gateway/1")] * 3, [entry("mail-gateway/1")])
    assert (found.accepted, found.recorded, found.missing) == (1, 1, 0)
    assert found.tallies and found.is_whole
    assert headline(found) == "accepted 1, recorded 1, missing 0"


def test_a_number_that_is_not_in_the_record_is_missing() -> None:
    found = reckon([named("AAAAA1", "mail-gateway/1"), named("AAAAA2", "mail-refused/1")], [])
    assert whys(found) == ["absent", "absent"]
    assert not found.tallies
    assert "which the record does not have" in "\n".join(lines(found, "health/1", 1))


def test_a_number_of_another_time_or_of_another_message_is_missing() -> None:
    events = [
        named("AAAAA1", "mail-gateway/1", T + TOLERANCE_MS + 1),
        named("AAAAA2", "mail-gateway/2"),
        named("AAAAA3", "mail-gateway/2"),
    ]
    found = reckon(events, [entry("mail-gateway/1"), entry("mail-gateway/2")])
    assert sorted(whys(found)) == ["another-time", "twice"]
    assert (found.accepted, found.recorded) == (3, 1)


def test_the_gateway_s_address_without_a_number_is_missing() -> None:
    assert whys(reckon([sent("AAAAA1", "250 2.0.0 Ok: recorded", AT_GATEWAY)], [])) == ["no-number"]


def test_what_went_around_is_missing_unless_it_came_from_the_gateway() -> None:
    events = [
        Arrival(mid("BBBBB1", "behind"), T, "127.0.0.1"),
        sent("BBBBB1", instance="behind"),
        sent("AAAAA1"),
        Notice(mid("AAAAA1"), T, mid("AAAAA2")),
        sent("AAAAA2"),
        sent("AAAAA3", relay=Relay("none", "", 0), agent="discard"),
    ]
    found = reckon(events, [entry("mail-gateway/1", "BBBBB1")])
    assert sorted(whys(found)) == ["around", "notice"]
    assert (found.accepted, found.recorded, found.handed_on, found.handed_on_found) == (3, 1, 1, 1)


def test_a_queue_id_used_again_at_another_time_does_not_cover() -> None:
    late = T + TOLERANCE_MS + 1
    events = [Arrival(mid("BBBBB1"), late, "127.0.0.1"), sent("BBBBB1", at=late)]
    assert whys(reckon(events, [entry("mail-gateway/1", "BBBBB1")])) == ["around"]


def test_what_a_filter_takes_is_judged_where_it_comes_back() -> None:
    events = [sent("AAAAA1", relay=Relay("filter", "127.0.0.1", 10024)), named("AAAAA2", "mail-gateway/1")]
    found = reckon(events, [entry("mail-gateway/1")])
    assert (found.accepted, found.filtered, found.missing) == (1, 1, 0)


def test_an_entry_no_line_names_is_told_unless_others_hand_in_too() -> None:
    entries = [
        entry("mail-gateway/1"),
        entry("mail-gateway/2"),
        entry("mail-journal/1", outcome="", told_ms=0),
    ]
    found = reckon([named("AAAAA1", "mail-gateway/1")], entries)
    assert found.unnamed_numbers == ("mail-gateway/2", "mail-journal/1")
    assert not found.tallies
    assert headline(found).endswith("missing 0; 2 entries that no line of the log names")
    assert reckon([named("AAAAA1", "mail-gateway/1")], entries, other_senders=True).tallies


def test_an_entry_under_way_or_refused_by_the_hop_need_not_be_named() -> None:
    entries = [
        entry("mail-gateway/1"),
        entry("mail-gateway/2", told_ms=T + 59_000),
        entry("mail-gateway/3", outcome="refused"),
        entry("mail-gateway/4", outcome=""),
    ]
    assert reckon([named("AAAAA1", "mail-gateway/1")], entries).unnamed == 0


def test_bytes_that_came_again_after_a_lost_reply_are_one_message() -> None:
    entries = [entry("mail-gateway/1"), entry("mail-gateway/2", again="mail-gateway/1")]
    events = [
        sent("AAAAA1", "lost connection", AT_GATEWAY, status="deferred"),
        named("AAAAA1", "mail-gateway/2"),
    ]
    found = reckon(events, entries)
    assert (found.accepted, found.recorded, found.missing, found.unnamed) == (1, 1, 0, 0)
    assert (found.again, found.deferred) == (1, 1)


def test_an_entry_the_server_behind_does_not_name_is_told() -> None:
    events = [
        Arrival(mid("BBBBB1", "behind"), T, "127.0.0.1"),
        sent("BBBBB1", instance="behind"),
        named("AAAAA1", "mail-gateway/1"),
        named("AAAAA2", "mail-gateway/2"),
    ]
    found = reckon(events, [entry("mail-gateway/1", "BBBBB1"), entry("mail-gateway/2", "BBBBB2")])
    assert (found.handed_on, found.handed_on_found, found.handed_on_lost) == (2, 1, ("mail-gateway/2",))
    assert not found.tallies


def test_a_hole_in_the_gateway_s_numbers_is_told() -> None:
    events = [named("AAAAA1", "mail-gateway/1"), named("AAAAA2", "mail-gateway/3")]
    found = reckon(events, [entry("mail-gateway/1"), entry("mail-gateway/3")])
    assert found.holes == 1
    assert not found.tallies


def test_what_could_not_be_read_or_judged_never_says_missing_0_alone() -> None:
    nobody_knows = [Arrival(mid("BBBBB1"), T, "127.0.0.1"), sent("BBBBB1")]
    unsaid = [Arrival(mid("CCCCC1"), T, ""), Removed(mid("CCCCC1"), T)]
    entries = [entry("mail-gateway/1", outcome="unknown")]
    for events, count in (([Unread("x")], 0), (nobody_knows, 1), (unsaid, 1)):
        found = reckon(events, entries)
        assert (found.is_whole, found.missing, found.undecided) == (False, 0, count)
        assert headline(found) == "accepted 0, recorded 0, missing 0 so far as could be judged"


def test_a_recipient_whose_line_was_taken_out_is_noticed() -> None:
    life = [Arrival(mid("AAAAA1"), T, ""), Queued(mid("AAAAA1"), T, 2), Removed(mid("AAAAA1"), T)]
    one, two = (named("AAAAA1", "mail-gateway/1")._replace(recipient=name) for name in ("to=<a>", "to=<b>"))
    assert reckon([*life, one, two], [entry("mail-gateway/1")]).is_whole
    found = reckon([*life, one, one], [entry("mail-gateway/1")])
    assert (found.undecided, found.recorded, found.is_whole) == (1, 1, False)
    given_up = sent("AAAAA1", "", Relay("none", "", 0), agent="qmgr", status="expired")
    assert reckon([*life, one, given_up], [entry("mail-gateway/1")]).is_whole


def test_a_refusal_must_be_recorded_as_one() -> None:
    words = "host gateway[127.0.0.1] said: 550 5.7.1 it cannot carry the particulars; recorded mail-refused/4"
    refusal = sent("AAAAA1", words, AT_GATEWAY, status="bounced")
    assert reckon([refusal], [entry("mail-refused/4", outcome="")]).tallies
    found = reckon([refusal], [])
    assert (found.refused, found.refused_recorded, found.tallies) == (1, 0, False)


def test_the_record_is_asked_from_before_the_log_where_a_message_arrived_before_it() -> None:
    log = MailLog([DOOR])
    log.take(sent("BBBBB1"))
    assert T - begins_ms(log) > 5 * 86_400_000
    log.take(Arrival(mid("BBBBB1"), T, ""))
    assert T - begins_ms(log) < 86_400_000


def test_only_the_time_asked_about_counts() -> None:
    log = MailLog([DOOR], since_ms=T, until_ms=T + 10)
    for at, number in ((T - 1, 1), (T, 2), (T + 10, 3)):
        log.take(named(f"AAAAA{number}", f"mail-gateway/{number}", at))
    assert numbers_in(log) == ["mail-gateway/2"]
    assert log.span == (T, T)


def test_a_door_that_listens_everywhere_is_known_by_its_port() -> None:
    assert Place("0.0.0.0", 2525).is_at(Relay("gateway", "10.0.0.5", 2525))
    assert not Place("10.0.0.6", 2525).is_at(Relay("gateway", "10.0.0.5", 2525))
    assert Place("gateway", 2525).is_at(Relay("gateway", "10.0.0.5", 2525))
