"""A stream starts only when its row of the register is whole, and no row claims that people consented."""

from __future__ import annotations

from datetime import date

import pytest

from muniment.policy.errors import BadInput, Refused
from muniment.policy.policyfile import parse
from muniment.policy.streams import KNOWN, StreamRow, in_words, is_old, lacks, may_start, require_row
from tests.organisation import policy_bytes

TODAY = date(2026, 11, 24)
WHOLE = {
    "purpose": "A true copy of mail",
    "lawful_basis": "Legitimate interests",
    "notice": "You have been told that mail is kept.",
    "notice_shown": "The terms of use",
    "assessed": date(2026, 11, 1),
    "owner": "Data Protection Officer",
}


def row(**changes: object) -> StreamRow:
    return StreamRow(name="mail-gateway", **{**WHOLE, **changes})  # type: ignore[arg-type]


def test_a_whole_row_lets_its_stream_start_and_no_other() -> None:
    """R-1.S-a, R-5.1-c"""
    require_row([row()], "mail-gateway", TODAY)
    assert may_start([row()], "mail-gateway", TODAY)
    with pytest.raises(Refused, match=r"mail-journal does not start: it has no row .*R-5\.1-c"):
        require_row([row()], "mail-journal", TODAY)


@pytest.mark.parametrize("key", WHOLE)
def test_a_row_that_lacks_one_thing_is_refused_and_says_which(key: str) -> None:
    lacking = row(**{key: None if key == "assessed" else "  "})
    assert lacks(lacking, TODAY) == (key,)
    with pytest.raises(Refused, match=rf"does not start: it lacks .*Write {key} under \[\[streams\]\]"):
        require_row([lacking], "mail-gateway", TODAY)


def test_an_assessment_of_tomorrow_does_not_count_today() -> None:
    assert lacks(row(assessed=date(2026, 11, 25)), TODAY) == ("assessed",)
    assert lacks(row(assessed=TODAY), TODAY) == ()


def test_an_assessment_is_old_after_a_year() -> None:
    assert not is_old(row(assessed=date(2025, 11, 24)), TODAY)
    assert is_old(row(assessed=date(2025, 11, 22)), TODAY)
    assert not is_old(row(assessed=None), TODAY)


def test_what_is_lacking_is_said_in_words() -> None:
    assert in_words(("owner",)) == "who answers for it"
    assert in_words(("notice", "assessed", "owner")) == (
        "what people are told, the day of its impact assessment and who answers for it"
    )


@pytest.mark.parametrize(
    "text",
    ["You consent to monitoring.", "By signing in you agree to be monitored.", "CONSENT", "you hereby agree"],
)
@pytest.mark.parametrize("key", ["notice", "lawful_basis"])
def test_a_text_that_claims_consent_is_refused_with_its_mend(key: str, text: str) -> None:
    with pytest.raises(
        BadInput, match=rf"streams\[1\]\.{key}: claims consent .*R-5\.3-n.*You have been told"
    ):
        parse(policy_bytes(**{f"streams__0__{key}": text}))


@pytest.mark.parametrize("text", ["two\nlines", "x" * 1001])
def test_a_text_stands_on_one_line_of_some_length(text: str) -> None:
    with pytest.raises(BadInput, match=r"streams\[1\]\.purpose: is no single line"):
        parse(policy_bytes(streams__0__purpose=text))


def test_a_name_is_known_and_stands_once() -> None:
    with pytest.raises(BadInput, match=r"streams\[1\]\.name: 'mail-gatway' is no stream"):
        parse(policy_bytes(streams__0__name="mail-gatway"))
    with pytest.raises(BadInput, match=r"streams\[2\]\.name: mail-gateway stands twice"):
        parse(policy_bytes(streams__1__name="mail-gateway"))


def test_a_row_may_lack_something_and_the_file_still_holds() -> None:
    found = parse(policy_bytes(streams=[{"name": "printing"}]))
    assert lacks(found.streams[0], TODAY) == tuple(WHOLE)
    assert KNOWN["printing"].is_connected is False


def test_the_example_refuses_the_stream_nobody_assessed() -> None:
    streams = parse(policy_bytes()).streams
    closed = [each.name for each in streams if not may_start(streams, each.name, TODAY)]
    assert closed == ["printing"]
