"""The gateway when its neighbours fail: nothing is acknowledged that is not both recorded and taken."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from muniment.people.snapshot import CURRENT, current_digest
from muniment.record.entry import Stream

from .hop import Hop
from .house import House, compile_policy, facts, house
from .ports import free_port
from .talk import Talk, stuffed, until

OUTSIDER, TUTOR = "someone@outside.example", "tomas@training.example"
LETTER = b"From: <someone@outside.example>\r\nSubject: %s\r\n\r\nGood morning.\r\n"
LIMITS = (
    "--connect-seconds",
    "2",
    "--reply-seconds",
    "1",
    "--end-of-data-seconds",
    "1",
    "--record-seconds",
    "2",
)


@pytest.fixture(scope="module")
def hop() -> Iterator[Hop]:
    with Hop(free_port()) as found:
        yield found


@pytest.fixture(scope="module")
def running(hop: Hop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    port = hop.server_address[1]
    path = tmp_path_factory.mktemp("faults")
    options = (*LIMITS, "--memory-bytes", "4000000", "--client-seconds", "3")
    with house(
        path, "recorder", "gateway", options=options, gateway__inbound_hop=f"127.0.0.1:{port}"
    ) as found:
        yield found


def fine(running: House, subject: bytes) -> None:
    """Deliver a message on a new connection; nothing that happened before may hinder it."""
    with Talk(running.ports["outside"]) as talk:
        assert talk.deliver(OUTSIDER, [TUTOR], LETTER % subject).startswith(b"250 2.0.0 recorded")


@pytest.mark.parametrize("local", ["dies-at-rcpt", "mute-at-rcpt", "garbage", "two-codes"])
def test_a_hop_lost_in_the_envelope_means_try_later(running: House, hop: Hop, local: str) -> None:
    before = len(hop.messages)
    with Talk(running.ports["outside"]) as talk:
        replies = talk.envelope(OUTSIDER, TUTOR, f"{local}@training.example", "third@training.example")
        assert [reply[:9] for reply in replies[2:]] == [b"451 4.4.2", b"451 4.4.2"]
        assert talk.content(b"").startswith(b"451 4.4.2")
        assert talk.say(b"RSET").startswith(b"250")
        assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"on a new connection to the hop").startswith(b"250")
    assert len(hop.messages) == before + 1


def test_a_hop_that_takes_its_leave_is_heard_by_the_client(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        assert talk.envelope(OUTSIDER, "going@training.example")[-1] == b"421 4.3.2 going away\r\n"
        assert talk.read() == b""


def test_a_refusal_of_data_is_recorded_and_passed_back(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        reply = talk.deliver(OUTSIDER, ["no-data@training.example"], LETTER % b"no data")
        assert reply == b"554 5.5.0 not now\r\n"
        assert facts(running.last(Stream.MAIL_OUTCOME))["outcome"] == "refused"
        assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"after no data").startswith(b"250")


def test_a_hop_lost_before_the_final_dot_leaves_the_message_unsent(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        reply = talk.deliver(OUTSIDER, ["dies-at-data@training.example"], LETTER % b"dies at data")
    assert reply.startswith(b"451 4.4.2 ")
    assert running.last(Stream.MAIL_GATEWAY).content == LETTER % b"dies at data"
    assert facts(running.last(Stream.MAIL_OUTCOME))["outcome"] == "unsent"
    fine(running, b"after dying at data")


@pytest.mark.parametrize("local", ["dies-at-dot", "mute-at-dot"])
def test_a_hop_lost_after_the_final_dot_leaves_the_outcome_unknown(running: House, local: str) -> None:
    with Talk(running.ports["outside"]) as talk:
        reply = talk.deliver(OUTSIDER, [f"{local}@training.example"], LETTER % local.encode())
    assert reply.startswith(b"451 4.4.2 ")
    outcome = running.last(Stream.MAIL_OUTCOME)
    assert facts(outcome)["outcome"] == "unknown"
    assert outcome.told.about == running.last(Stream.MAIL_GATEWAY).row.idx
    fine(running, b"after " + local.encode())


def test_an_answer_that_is_neither_yes_nor_no_is_try_later(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        reply = talk.deliver(OUTSIDER, ["strange@training.example"], LETTER % b"strange")
    assert reply.startswith(b"451 4.4.2 ")


def test_the_words_of_many_lines_become_one(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        reply = talk.deliver(OUTSIDER, ["many-lines@training.example"], LETTER % b"many lines")
    assert reply.endswith(b"; one 2.0.0 two 2.0.0 three\r\n")


def test_one_connection_to_the_hop_serves_a_client_s_session(running: House, hop: Hop) -> None:
    greeted = hop.commands.count(b"EHLO mail.training.example\r\n")
    with Talk(running.ports["outside"]) as talk:
        for number in range(5):
            assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"%d" % number).startswith(b"250")
        talk.envelope(OUTSIDER, TUTOR)
        talk.say(b"RSET")
        assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"after RSET").startswith(b"250")
    assert hop.commands.count(b"EHLO mail.training.example\r\n") == greeted + 1
    assert hop.commands.count(b"RSET\r\n") >= 1


def test_messages_beyond_the_memory_there_is_wait_with_their_sender(running: House, hop: Hop) -> None:
    before = len(hop.messages)
    with Talk(running.ports["outside"]) as talk:
        talk.envelope(OUTSIDER, TUTOR)
        assert talk.content((b"x" * 998 + b"\r\n") * 5_000 + b".\r\n").startswith(b"452 4.3.1 ")
        assert talk.say(b"MAIL FROM:<> SIZE=5000000").startswith(b"452 4.3.1 ")
        assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"small enough").startswith(b"250")
    assert len(hop.messages) == before + 1
    assert until(lambda: running.status()["memory_bytes"] == 0)


def test_a_silent_client_is_told_so_and_dropped(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        assert talk.read().startswith(b"421 4.4.2 ")
        assert talk.read() == b""


def test_a_client_that_leaves_in_the_middle_delivers_nothing(running: House, hop: Hop) -> None:
    before = len(hop.messages)
    with Talk(running.ports["outside"]) as talk:
        talk.envelope(OUTSIDER, TUTOR)
        talk.say(b"DATA")
        talk.send(b"Subject: half\r\n\r\nhalf of")
    assert until(lambda: running.status()["sessions"] == 0)
    assert len(hop.messages) == before
    assert running.status()["memory_bytes"] == 0


def test_without_a_next_hop_mail_waits_with_its_sender(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:  # nothing listens where the outbound hop should be
        assert b"SIZE" in talk.offers
        assert talk.say(b"MAIL FROM:<tomas@training.example>").startswith(b"451 4.4.1 ")
    assert running.counter("hop_lost") >= 1


def test_without_the_recorder_nothing_is_delivered_and_with_it_again_all_is(running: House, hop: Hop) -> None:
    before, unfinished = len(hop.messages), hop.unfinished
    running.processes["recorder"].kill()
    with Talk(running.ports["outside"]) as talk, Talk(running.ports["journal"]) as journal:
        assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"unrecorded").startswith(b"451 4.3.0 ")
        assert journal.deliver("", [TUTOR], LETTER % b"unrecorded").startswith(b"451 4.3.0 ")
        talk.envelope(OUTSIDER, TUTOR)
        assert talk.content(b"bare\n\r\n.\r\n").startswith(b"451 4.3.0 ")
    assert until(lambda: hop.unfinished == unfinished + 1)
    assert len(hop.messages) == before
    running.start("recorder")
    fine(running, b"recorded again")
    assert len(hop.messages) == before + 1
    assert running.last(Stream.MAIL_GATEWAY).content == LETTER % b"recorded again"


def test_a_recorder_that_hangs_means_try_later(running: House, hop: Hop) -> None:
    before = len(hop.messages)
    recorder = running.processes["recorder"].popen.pid
    os.kill(recorder, signal.SIGSTOP)
    try:
        with Talk(running.ports["outside"]) as talk:
            assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"hanging").startswith(b"451 4.3.0 ")
    finally:
        os.kill(recorder, signal.SIGCONT)
    assert len(hop.messages) == before
    fine(running, b"awake again")


def test_a_new_snapshot_is_taken_up_and_one_that_cannot_be_read_changes_nothing(running: House) -> None:
    policy = running.home.policy_file
    text = policy.read_text()
    first = running.status()["snapshot"]
    assert first == current_digest(running.home.snapshot_dir)
    policy.write_text(
        text.replace('domains = ["training.example"]', 'domains = ["training.example", "b.example"]')
    )
    compile_policy(running.home)
    assert until(lambda: running.status()["snapshot"] != first)
    second = running.status()["snapshot"]
    (running.home.snapshot_dir / CURRENT).write_text("0" * 64)
    with Talk(running.ports["outside"]) as talk:
        replies = talk.envelope(OUTSIDER, "x@b.example")
        assert replies[-1].startswith(b"250")
    assert running.status()["snapshot"] == second
    policy.write_text(text)
    compile_policy(running.home)
    assert until(lambda: running.status()["snapshot"] == first)


def test_a_pipelined_envelope_survives_the_loss_of_the_hop(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        talk.send(
            b"MAIL FROM:<someone@outside.example>\r\nRCPT TO:<tomas@training.example>\r\n"
            b"RCPT TO:<dies-at-rcpt@training.example>\r\nRCPT TO:<third@party.example>\r\n"
        )
        assert [talk.read()[:9] for _ in range(4)] == [b"451 4.4.2"] * 3 + [b"550 5.7.1"]
        assert talk.deliver(OUTSIDER, [TUTOR], LETTER % b"after the loss").startswith(b"250")


def test_dots_and_long_lines_reach_the_hop_as_they_were(running: House, hop: Hop) -> None:
    content = b"Subject: dots\r\n\r\n.\r\n..\r\n" + b"x" * 100_000 + b"\r\n.end\r\n"
    with Talk(running.ports["outside"]) as talk:
        assert talk.deliver(OUTSIDER, [TUTOR], content).startswith(b"250")
    assert hop.messages[-1] + b".\r\n" == stuffed(content)
