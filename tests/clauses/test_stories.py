"""The story of each clause that is met by code today, as a person would try it, on a running example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from muniment.cli import story, story_looking
from muniment.cli.stage import Stage
from muniment.policy.errors import BadInput
from muniment.policy.policyfile import parse
from muniment.record.entry import Stream
from muniment.record.home import Home
from tests.organisation import policy_bytes, policy_table, to_toml

ADA = "a.teacher@training.example"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(Home(tmp_path_factory.mktemp("story") / "home"))
    list(story.found(made))
    with made.running():
        yield made


def said(stage: Stage, *words: str, code: int = 0) -> dict:
    ran = stage.command(*words, "--home", str(stage.home.path), "--json")
    assert ran.code == code, ran.err
    return json.loads(ran.out)


def test_people_know_which_policy_holds_and_when_it_is_looked_at_again() -> None:
    """R-1.P-a"""
    table = policy_table()
    assert parse(policy_bytes()).policy.version == table["policy"]["version"]
    del table["policy"]["review_due"]
    with pytest.raises(BadInput, match=r"policy\.review_due"):
        parse(to_toml(table).encode())


def test_the_law_behind_each_clause_is_known_and_what_is_stale_is_found(stage: Stage) -> None:
    """R-1.P-b"""
    trace = said(stage, "policy", "trace")["clauses"]
    assert {"UK GDPR", "Companies Act 2006"} <= {
        law.strip() for row in trace for law in row["law"].split(";")
    }
    lint = said(stage, "policy", "lint")
    assert {finding["code"] for finding in lint["findings"]} >= {"L1", "L3"}


def test_the_price_of_a_breach_is_the_one_in_force(stage: Stage) -> None:
    """R-4.3-b"""
    found = {finding["code"]: finding for finding in said(stage, "policy", "lint")["findings"]}
    assert "out of date" in found["L3"]["wrong"]
    assert "£17.5 million or 4%" in found["L3"]["suggestion"]


def test_business_mail_is_saved_where_colleagues_hold_it(stage: Stage, tmp_path: Path) -> None:
    """R-2.1-a: as it passes, and from before."""
    assert stage.send("outside", "parent@outside.example", ADA, b"Subject: In\r\n\r\nToday\r\n")[0] == 250
    (tmp_path / "old.eml").write_bytes(b"From: x@outside.example\nSubject: Old\n\nOnce upon a time\n")
    assert said(stage, "import", "mail", str(tmp_path))["recorded"] == 1
    with stage.officer_view("office-manager") as view:
        [*_, old] = view.catalogue.rows("stream = ?", (Stream.MAIL_IMPORT,))
        assert view.open(old.idx).content == (tmp_path / "old.eml").read_bytes()


def test_the_record_stands_as_evidence(stage: Stage) -> None:
    """R-2.1-b: numbered without a gap, proved again from its bytes, each entry with its reason."""
    state = said(stage, "status")
    assert state["gaps"] == 0 and not state["problems"]
    whole = said(stage, "verify")
    assert whole["whole"] and whole["leaves"] == state["size"]


def test_business_mail_says_who_the_company_is_and_the_decision_says_why(stage: Stage) -> None:
    """R-2.2-b"""
    list(story.send_out(stage))
    [*_, last] = numbers(stage, Stream.MAIL_GATEWAY)
    why = said(stage, "explain", f"mail-gateway/{last}")["parts"]
    assert why["Clause"].startswith("R-2.2-b")
    assert "footer added to text/html" in why["Changed"]


def test_all_mail_is_kept_unaltered_and_what_is_refused_too(stage: Stage) -> None:
    """R-5.1-a"""
    list(story.refuse(stage))
    with stage.officer_view("alternate") as view:
        rows = view.catalogue.rows("stream IN (?, ?)", (Stream.MAIL_GATEWAY, Stream.MAIL_REFUSED))
        contents = [view.open(row.idx).content for row in rows]
    assert story.SIGNED in contents
    assert story.WRITTEN in contents


def test_a_look_is_asked_for_permitted_read_and_told(stage: Stage) -> None:
    """R-5.0-a, R-5.1-b, R-5.2-f, R-5.3-c, R-5.3-i, R-5.3-k, R-5.3-l: the story of one permit from end to end."""
    told = [fact for step in story_looking.LOOKING for fact in step.play(stage)]
    assert any("stay sealed" in fact for fact in told)
    assert any("holds no key to it" in fact for fact in told)


def test_what_is_not_an_entry_is_explained_as_missing(stage: Stage) -> None:
    ran = stage.command("explain", "mail-gateway/4711", "--home", str(stage.home.path))
    assert ran.code == 4
    assert "was never recorded" in ran.err


def numbers(stage: Stage, stream: Stream) -> list[int]:
    with stage.officer_view("managing-director") as view:
        return [row.sequence for row in view.catalogue.rows("stream = ?", (stream,))]
