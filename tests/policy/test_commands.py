"""`muniment policy …` and `muniment explain …` say the same to people and to machines, with the promised exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from muniment.cli import explain, policy
from muniment.policy.clauses import clauses
from muniment.policy.errors import BadInput, Missing, MunimentError, Refused
from tests.organisation import policy_text
from tests.policy.test_lint import MENDED, STALE


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "muniment.toml").write_text(policy_text())
    return tmp_path


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    policy.add(subparsers)
    explain.add(subparsers)
    args = parser.parse_args(words)
    return int(args.handler(args))


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_check_prints_the_particulars(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "check", "--home", str(home)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("EXAMPLE")
    assert lines[1:4] == [
        "Example Training Ltd",
        "Registered in England and Wales, company number 01234567",
        "Registered office: 1 Example Street, Exampletown EX1 1EX",
    ]
    assert lines[-1] == "The policy file has no mistakes."


def test_check_prints_the_same_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = run_json(capsys, "policy", "check", "--home", str(home))
    assert value["particulars"]["company_number"] == "01234567"
    assert value["retention"] == {
        "journal": "as long as the record lives",
        "mail": "5 years",
        "refused": "90 days",
    }
    assert value["officers"][2] == {"id": "chair", "role": "alternate"}
    assert len(value["digest"]) == 64


def test_check_says_which_stream_does_not_start(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R-5.1-c"""
    assert run("policy", "check", "--home", str(home)) == 0
    said = capsys.readouterr().out
    assert "Stream mail-gateway: may start\n" in said
    assert "Stream printing: does not start, it lacks its lawful basis, what people are told" in said
    assert run_json(capsys, "policy", "check", "--home", str(home))["streams"]["mail-gateway"] == {
        "lacks": []
    }


def test_check_stops_at_a_mistake_and_at_a_missing_file(home: Path) -> None:
    (home / "muniment.toml").write_text(policy_text(organisation__company_number="1"))
    with pytest.raises(BadInput, match=r"organisation\.company_number"):
        run("policy", "check", "--home", str(home))
    with pytest.raises(Missing, match="muniment init"):
        run("policy", "check", "--home", str(home / "nowhere"))


def test_lint_lists_findings_and_exits_with_nought(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "muniment.toml").write_text(policy_text(wording=STALE))
    assert run("policy", "lint", "--home", str(home), "--on", "2028-01-01") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "Of 12 findings 12 found, 0 not said, 0 settled."
    assert "L12 found, clause 1 Purpose (R-1.P-a): The review was due on 2027-11-01, 61 days ago." in out
    assert "£17.5 million" in out


def test_lint_as_json_names_the_day_it_judged_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = run_json(capsys, "policy", "lint", "--home", str(home), "--on", "2027-01-01")
    assert value["on"] == "2027-01-01"
    assert {finding["standing"] for finding in value["findings"]} == {"not said"}


def test_lint_without_a_day_judges_for_today(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = run_json(capsys, "policy", "lint", "--home", str(home))
    assert value["on"] >= "2026-01-01"


def test_a_day_that_is_none_is_refused_with_its_form(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("policy", "lint", "--home", str(home), "--on", "2027-02-30")
    assert caught.value.code == 2
    assert "'2027-02-30' is no day; write it as 2027-11-01" in capsys.readouterr().err


def test_strict_lint_refuses_while_a_finding_stands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused, match="L1, L2") as caught:
        run("policy", "lint", "--strict", "--home", str(home), "--on", "2027-01-01")
    assert caught.value.exit_code == 3
    assert capsys.readouterr().out.startswith("L1 not said")
    (home / "muniment.toml").write_text(policy_text(wording=MENDED))
    assert run("policy", "lint", "--strict", "--home", str(home), "--on", "2027-01-01") == 0


def test_trace_of_one_clause_names_control_code_and_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "trace", "R-4.3-b") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "R-4.3-b, clause 4.3: Breaking data protection law has a price"
    assert "Control: muniment.policy.lint" in lines
    assert "   muniment/policy/lint.py" in lines
    assert "   tests/policy/test_lint.py" in lines


def test_trace_says_not_yet_where_nothing_meets_a_clause(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "trace", "R-5.2-a") == 0
    out = capsys.readouterr().out
    assert "Standing: not yet." in out
    assert "Control: none" in out


def test_trace_of_all_has_a_line_for_each_clause_and_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "trace") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == list(clauses())
    assert lines[-1].startswith("123 requirements: ")
    value = run_json(capsys, "policy", "trace")
    assert sum(value["counts"].values()) == len(value["clauses"]) == 123


def test_trace_as_markdown_of_one_clause_and_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "trace", "R-2.2-b", "--markdown") == 0
    assert capsys.readouterr().out.count("### ") == 1
    assert run("policy", "trace", "--markdown") == 0
    assert capsys.readouterr().out.count("### ") == 123
    assert run_json(capsys, "policy", "trace", "--markdown")["markdown"].startswith("# ")


def test_trace_of_an_unknown_id_is_missing() -> None:
    with pytest.raises(Missing, match="lists them all"):
        run("policy", "trace", "R-9.9-z")


def test_explain_takes_several_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "bad", "input") == 0
    assert capsys.readouterr().out.startswith("bad input: a kind of error\n   Means: ")
    assert run_json(capsys, "explain", "R-5.1-a")["parts"]["Findings"] == "L10"
    with pytest.raises(MunimentError):
        run("explain", "nonsense")
