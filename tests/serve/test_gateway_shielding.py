"""Private mail and mail of protected people is shielded when it is captured, through the real doors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from muniment.record.entry import Stream

from .house import House, house
from .talk import Talk

TUTOR, COLLEAGUE = "tomas@training.example", "olive@training.example"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    domains = [{"name": "law.example", "kind": "legal"}, {"name": COLLEAGUE, "kind": "union"}]
    with house(tmp_path_factory.mktemp("shielding"), shield={"domains": domains}) as found:
        yield found


@pytest.mark.parametrize(
    ("recipient", "head", "kind"),
    [
        ("someone@outside.example", "Subject: The timetable", ""),
        ("someone@outside.example", "Subject: Private: the doctor", "private"),
        ("someone@outside.example", "Subject: x\r\nSensitivity: Personal", "personal"),
        ("partner@mail.law.example", "Subject: The timetable", "legal"),
        (COLLEAGUE, "Subject: The timetable", "union"),
        ("rep@unison.org.uk", "Subject: The timetable", "union"),
    ],
)
def test_what_is_shielded_is_marked_in_the_catalogue_and_the_word_is_sealed(
    running: House, recipient: str, head: str, kind: str
) -> None:
    with Talk(running.ports["inside"]) as talk:
        content = f"From: {TUTOR}\r\nTo: {recipient}\r\n{head}\r\n\r\n{kind or 'plain'} {recipient}\r\n"
        assert talk.deliver(TUTOR, [recipient], content.encode()).startswith(b"250 ")
    opened = running.last(Stream.MAIL_GATEWAY)
    assert (opened.shielded, opened.row.shielded) == (kind, int(bool(kind)))
