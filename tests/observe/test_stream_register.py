"""A stream whose row in the register is not whole does not start: not at the gateway's doors, not by an import."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from muniment.cli.main import main
from muniment.guard.mail.direction import Door
from muniment.policy.errors import Refused
from muniment.policy.policyfile import parse
from muniment.record.home import Home
from muniment.serve.gateway_settings import Limits, refused_doors, settings_of
from muniment.serve.supervisor import services_of
from tests.organisation import policy_bytes
from tests.record.recording import make_home

TODAY = date(2026, 11, 24)
NOT_ASSESSED = {"streams__0__assessed": ...}


def test_the_doors_of_a_stream_without_an_assessment_stay_closed_and_the_journal_opens() -> None:
    """R-5.1-c"""
    policy = parse(policy_bytes(**NOT_ASSESSED))
    assert [listener.door for listener in settings_of(policy, Limits()).listeners] == [Door.JOURNAL]
    refusals = refused_doors(policy, TODAY)
    assert set(refusals) == {Door.INSIDE, Door.OUTSIDE}
    assert "the day of its impact assessment" in str(refusals[Door.INSIDE])
    assert refusals[Door.INSIDE].clause == "R-5.1-c"


def test_a_gateway_with_every_door_closed_refuses_to_start() -> None:
    with pytest.raises(Refused, match=r"mail-gateway does not start: it has no row"):
        settings_of(parse(policy_bytes(streams=[])), Limits())


def test_up_starts_no_gateway_that_would_open_no_door(tmp_path: Path) -> None:
    names = [service.name for service in services_of(Home(tmp_path), parse(policy_bytes(streams=[])))]
    assert "mail gateway" not in names and "console" in names
    named = {s.name: s.place for s in services_of(Home(tmp_path), parse(policy_bytes(**NOT_ASSESSED)))}
    assert named["mail gateway"] == "journal 127.0.0.1:2527"


def test_an_import_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path, streams__2__notice="")
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "1.eml").write_bytes(b"Subject: x\r\n\r\nx\r\n")
    assert main(["import", "mail", "--home", str(home.path), str(letters)]) == Refused.exit_code
    said = capsys.readouterr().err
    assert "mail-import does not start: it lacks what people are told" in said and "R-5.1-c" in said
    assert not (home.path / "import").exists()
