"""Each morning each officer gets the record's checkpoint, through the real gateway, once. R-2.1-b."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from muniment.cli.main import main
from muniment.policy.errors import Unavailable
from muniment.record.client import Recorder
from muniment.record.entry import Stream
from muniment.serve.clockwork_mail import CheckpointMail, due_day
from tests.organisation import OFFICERS

from .house import house


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


def test_each_officer_gets_it_once_a_day_and_the_record_continues_what_they_got(tmp_path: Path) -> None:
    now = [ms(2026, 11, 25, 7, 30)]
    with house(tmp_path, witness={"mail": True}) as found:
        mail = CheckpointMail(found.home, lambda: now[0])
        with Recorder(found.home.socket) as recorder:
            recorder.publish()
            assert [mail.run(), mail.run()] == [len(OFFICERS), 0]
            now[0] = ms(2026, 11, 26, 6, 59)
            assert mail.run() == 0
            now[0] = ms(2026, 11, 26, 7, 0)
            assert mail.run() == len(OFFICERS)
            told = [(each["event"], each["day"], each["to"]) for each in recorder.anchors()]
            ids = [officer.id for officer in OFFICERS]
            assert told == [("mailed", f"2026-11-{day}", each) for day in (25, 26) for each in ids]
            assert len(found.received()) == 2 * len(OFFICERS)
        assert found.count(Stream.MAIL_GATEWAY) == 2 * len(OFFICERS)
        message = email.message_from_bytes(found.raw(1), policy=email.policy.default)
        assert message["Subject"].startswith("The record on 25 November 2026: ")
        body = message.get_body(("plain",))
        assert body is not None
        kept = tmp_path / "message.txt"
        kept.write_text(body.get_content())
        assert main(["checkpoint", "compare", str(kept), "--home", str(found.home.path)]) == 0


def test_what_the_gateway_does_not_take_is_said_and_sent_later(tmp_path: Path) -> None:
    with house(tmp_path, "recorder", "sink", witness={"mail": True}) as found:
        mail = CheckpointMail(found.home, lambda: ms(2026, 11, 25, 8, 0))
        with Recorder(found.home.socket) as recorder:
            recorder.publish()
            with pytest.raises(Unavailable, match="was not mailed to managing-director: the mail gateway"):
                mail.run()
            assert recorder.anchors() == []
        found.start("gateway")
        assert mail.run() == len(OFFICERS)


def test_nobody_is_mailed_unless_the_policy_file_says_so(tmp_path: Path) -> None:
    with house(tmp_path) as found:
        assert CheckpointMail(found.home, lambda: ms(2026, 11, 25, 8, 0)).run() == 0
        assert found.received() == []


def test_a_day_begins_at_seven_in_london() -> None:
    assert due_day(datetime(2026, 7, 1, 5, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert due_day(datetime(2026, 7, 1, 6, 0, tzinfo=UTC)) == date(2026, 7, 1)
