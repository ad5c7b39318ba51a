"""TLS on both sides of the gateway, and signing in to the submission server behind it. R-4.1-a.

A password passes through and stays nowhere: not in the record, not in a file of the home.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from muniment.policy.gateway import HopTLS
from muniment.record.entry import Stream
from muniment.serve.gateway_hop import Hop, HopLost
from muniment.serve.gateway_settings import HopAddress, Limits
from tests.record.recording import officer_view

from .certificate import Certificate, make_certificate
from .house import House, envelope_map, facts, house
from .ports import free_port
from .submission import PASSWORD, Submission, submission_server
from .talk import Talk, stuffed, until

TUTOR, OUTSIDER = "tomas@training.example", "someone@outside.example"
LETTER = b"From: <tomas@training.example>\r\nSubject: %s\r\nContent-Type: text/plain\r\n\r\nGood morning.\r\n"
pytestmark = pytest.mark.xdist_group("gateway-tls")


def base64_of(text: str) -> bytes:
    return base64.b64encode(text.encode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@contextmanager
def submitting(certificate: Certificate | None) -> Iterator[tuple[Submission, int]]:
    handler, port = Submission(), free_port()
    server = submission_server(handler, port, certificate)
    server.start()
    try:
        yield handler, port
    finally:
        server.stop()


@pytest.fixture(scope="module")
def submission(certificate: Certificate) -> Iterator[tuple[Submission, int]]:
    with submitting(certificate) as found:
        yield found


@pytest.fixture(scope="module")
def running(
    certificate: Certificate, submission: tuple[Submission, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A gateway with a certificate of its own, whose hop must have one that the authority signed."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(certificate.authority)
    try:
        with house(
            tmp_path_factory.mktemp("tls"),
            "recorder",
            "gateway",
            gateway__tls_certificate=str(certificate.chain),
            gateway__tls_key=str(certificate.key),
            gateway__hop_tls="require",
            gateway__outbound_hop=f"127.0.0.1:{submission[1]}",
            gateway__inbound_hop=f"127.0.0.1:{submission[1]}",
        ) as found:
            yield found
    finally:
        os.environ.pop("SSL_CERT_FILE")
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


def sign_in_plain(talk: Talk, password: str = PASSWORD) -> bytes:
    return talk.say(b"AUTH PLAIN " + base64_of(f"\0tomas\0{password}"))


def sign_in_plain_in_two_steps(talk: Talk, password: str = PASSWORD) -> bytes:
    assert talk.say(b"AUTH PLAIN").startswith(b"334")
    return talk.say(base64_of(f"\0tomas\0{password}"))


def sign_in_login(talk: Talk, password: str = PASSWORD) -> bytes:
    assert talk.say(b"auth LOGIN").startswith(b"334")
    assert talk.say(base64_of("tomas")).startswith(b"334")
    return talk.say(base64_of(password))


WAYS = [sign_in_plain, sign_in_plain_in_two_steps, sign_in_login]


@pytest.mark.parametrize("sign_in", WAYS)
def test_mail_submitted_under_tls_with_a_password_is_recorded_under_its_name(
    running: House, submission: tuple[Submission, int], sign_in
) -> None:
    with Talk(running.ports["inside"]) as talk:
        assert b"STARTTLS" in talk.offers
        offers = talk.start_tls()
        assert b"AUTH " in offers
        assert b"STARTTLS" not in offers
        assert sign_in(talk).startswith(b"235 ")
        content = LETTER % sign_in.__name__.encode()
        assert talk.deliver(TUTOR, [OUTSIDER], content).startswith(b"250 2.0.0 recorded")
        assert talk.deliver(TUTOR, [OUTSIDER], content).startswith(b"250 2.0.0 recorded")
    opened = running.last(Stream.MAIL_GATEWAY)
    assert opened.content == content
    table = envelope_map(opened)
    assert (table["user"], table["tls"]) == ("tomas", True)
    taken = submission[0].taken[-1]
    assert (taken.user, taken.is_tls, taken.content) == ("tomas", True, opened.sent)


@pytest.mark.parametrize("sign_in", WAYS)
def test_a_wrong_password_is_the_hop_s_to_refuse(running: House, sign_in) -> None:
    with Talk(running.ports["inside"]) as talk:
        talk.start_tls()
        assert sign_in(talk, "wrong").startswith(b"535 5.7.8 ")
        assert talk.envelope(TUTOR)[0].startswith(b"530 ")
        assert sign_in(talk).startswith(b"235 ")
        assert talk.deliver(TUTOR, [OUTSIDER], LETTER % b"second try").startswith(b"250 ")


def test_signing_in_works_after_a_transaction_was_given_up(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        talk.start_tls()
        talk.envelope(TUTOR, OUTSIDER)
        assert talk.say(b"RSET").startswith(b"250")
        assert sign_in_plain(talk).startswith(b"235 ")
        assert talk.deliver(TUTOR, [OUTSIDER], LETTER % b"after RSET").startswith(b"250 ")


def test_an_exchange_the_client_gives_up_leaves_it_as_it_was(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        talk.start_tls()
        assert talk.say(b"AUTH LOGIN").startswith(b"334")
        assert talk.say(b"*").startswith(b"501")
        assert talk.envelope(TUTOR)[0].startswith(b"530 ")


def test_what_was_signed_in_in_clear_text_does_not_count_under_tls(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        assert sign_in_plain(talk).startswith(b"235 ")
        talk.start_tls()
        assert talk.envelope(TUTOR)[0].startswith(b"530 ")


def test_clear_text_sent_ahead_of_tls_is_no_command(running: House) -> None:
    with socket.create_connection(("127.0.0.1", running.ports["inside"]), timeout=30) as raw:
        lines = raw.makefile("rb")
        lines.readline()
        raw.sendall(b"EHLO client.example\r\n")
        while lines.readline()[3:4] == b"-":
            pass
        raw.sendall(b"STARTTLS\r\nMAIL FROM:<evil@outside.example>\r\nRCPT TO:<evil@outside.example>\r\n")
        assert lines.readline().startswith(b"220 ")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        lines.close()
        with context.wrap_socket(raw) as secured, secured.makefile("rb") as replies:
            secured.sendall(b"RCPT TO:<someone@outside.example>\r\nQUIT\r\n")
            assert replies.readline().startswith(b"503 ")
            assert replies.readline().startswith(b"221 ")


def test_the_outside_door_passes_no_passwords(running: House) -> None:
    with Talk(running.ports["outside"]) as talk:
        assert b"AUTH" not in talk.start_tls()
        assert sign_in_plain(talk).startswith(b"502 ")


def test_a_client_that_speaks_nonsense_instead_of_tls_harms_nobody_else(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        assert talk.say(b"STARTTLS").startswith(b"220 ")
        talk.send(b"GET / HTTP/1.0\r\n\r\n")
        with suppress(ConnectionResetError):
            assert b"250" not in talk.read()
    with Talk(running.ports["inside"]) as talk:
        assert b"AUTH " in talk.start_tls()


def test_a_sender_the_hop_refuses_for_not_signing_in_is_recorded_as_refused(running: House) -> None:
    before = len(running.entries(Stream.MAIL_REFUSED))
    with Talk(running.ports["inside"]) as talk:
        talk.start_tls()
        talk.envelope(TUTOR, OUTSIDER)
        assert talk.content(stuffed(LETTER % b"unsigned")).startswith(b"503 ")
    assert until(lambda: len(running.entries(Stream.MAIL_REFUSED)) == before + 1)
    refused = running.last(Stream.MAIL_REFUSED)
    assert facts(refused)["rule"] == "mail.envelope"
    assert envelope_map(refused)["mail_from"] == TUTOR
    assert refused.content == b""


def test_no_password_is_anywhere_in_the_record_or_the_home(running: House) -> None:
    with Talk(running.ports["inside"]) as talk:
        talk.start_tls()
        for sign_in in (sign_in_plain, sign_in_login):
            sign_in(talk, "wrong password")
        assert sign_in_login(talk).startswith(b"235 ")
        assert talk.deliver(TUTOR, ["refused@outside.example"], LETTER % b"last").startswith(b"250")
    secrets = [
        form
        for password in (PASSWORD, "wrong password")
        for form in (password.encode(), base64_of(password), base64_of(f"\0tomas\0{password}"))
    ]
    running.entries(Stream.MAIL_GATEWAY)  # everything so far is published
    with officer_view(running.home) as view:
        opened = [view.open(row.idx) for row in view.catalogue.rows("channel = ?", (1,))]
    assert len(opened) >= 10
    for entry in opened:
        clear = b"\0".join((entry.content, entry.sent or b"", entry.meta, entry.facts, entry.plain))
        assert not [secret for secret in secrets if secret in clear]
    for path in running.home.path.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert not [secret for secret in secrets if secret in held], path


# The connection to the next hop


async def connect(port: int, tls: HopTLS) -> bool:
    """Connect to a hop and return whether TLS is on."""
    address = HopAddress("127.0.0.1", port, tls)
    hop = await Hop.connect(address, "mail.training.example", Limits(connect_seconds=5.0, reply_seconds=5.0))
    assert hop.is_confidential
    hop.quit()
    await asyncio.sleep(0.05)
    return hop.is_tls


@pytest.mark.parametrize(("mode", "is_tls"), [(HopTLS.NONE, False), (HopTLS.MAY, True)])
def test_an_unknown_certificate_does_where_tls_may_be(
    submission: tuple[Submission, int], mode: HopTLS, is_tls: bool
) -> None:
    assert asyncio.run(connect(submission[1], mode)) is is_tls


def test_where_tls_must_be_a_known_certificate_is_taken_and_an_unknown_one_is_not(
    submission: tuple[Submission, int], certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(HopLost, match="TLS with the next hop failed") as failed:
        asyncio.run(connect(submission[1], HopTLS.REQUIRE))
    assert failed.value.reply.raw.startswith(b"451 4.7.5 ")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    assert asyncio.run(connect(submission[1], HopTLS.REQUIRE)) is True


def test_a_hop_without_tls_does_where_it_may_be_and_not_where_it_must() -> None:
    with submitting(None) as (_, port):
        assert asyncio.run(connect(port, HopTLS.MAY)) is False
        with pytest.raises(HopLost, match="does not offer TLS") as failed:
            asyncio.run(connect(port, HopTLS.REQUIRE))
    assert failed.value.reply.raw.startswith(b"451 4.7.4 ")


def test_mail_for_a_hop_without_the_tls_it_must_have_waits_with_its_sender(tmp_path: Path) -> None:
    with (
        submitting(None) as (handler, port),
        house(
            tmp_path,
            "recorder",
            "gateway",
            gateway__hop_tls="require",
            gateway__outbound_hop=f"127.0.0.1:{port}",
        ) as found,
    ):
        with Talk(found.ports["inside"]) as talk:
            assert b"STARTTLS" not in talk.offers
            assert talk.say(b"STARTTLS").startswith(b"502 ")
            assert talk.envelope(TUTOR)[0].startswith(b"451 4.7.4 ")
        assert handler.taken == []
        assert found.counter("hop_lost") == 1
