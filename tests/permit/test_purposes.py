"""Each purpose opens what the policy lets it open, and says why when it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from muniment.permit.purposes import ALLOWANCES, Plea, require_allowed
from muniment.policy.errors import BadInput, Refused
from muniment.policy.purpose import PURPOSES

CODES = [purpose.code for purpose in PURPOSES]
CASE = Plea("look", "CASE", "content", "2026/17", "Orders nobody placed", "Asked the supplier")


def refusal(plea: Plea, known: list[str] = CODES) -> Refused:
    with pytest.raises(Refused) as found:
        require_allowed(plea, known)
    return found.value


def test_every_purpose_of_the_policy_has_its_allowance() -> None:
    """R-5.1-b, R-5.3-e to R-5.3-j"""
    assert set(ALLOWANCES) == set(CODES)


def test_operation_of_the_systems_sees_envelopes_only() -> None:
    """R-5.3-e"""
    assert refusal(replace(CASE, purpose="OPS")).clause == "R-5.3-e"
    require_allowed(replace(CASE, purpose="OPS", depth="envelope", case=""), CODES)


def test_security_opens_content_only_for_an_alarm_or_a_case() -> None:
    """R-5.3-f"""
    assert refusal(replace(CASE, purpose="SEC", case="")).clause == "R-5.3-f"
    require_allowed(replace(CASE, purpose="SEC", case="alarm 12"), CODES)
    require_allowed(replace(CASE, purpose="SEC", case="", depth="envelope"), CODES)


def test_lost_working_time_alone_never_opens_content() -> None:
    """R-5.3-g"""
    found = refusal(replace(CASE, purpose="USE", case="  "))
    assert found.clause == "R-5.3-g" and "working time alone" in str(found)


@pytest.mark.parametrize("code", ["CASE", "SAR", "INFO", "APPEAL", "COMPLAINT", "LEGAL", "ORDER"])
def test_a_named_matter_is_named(code: str) -> None:
    """R-5.1-b, R-5.3-i"""
    refusal(replace(CASE, purpose=code, case=""))
    require_allowed(replace(CASE, purpose=code), CODES)


def test_any_other_reason_needs_the_data_protection_officers_view() -> None:
    """R-5.3-j"""
    assert refusal(replace(CASE, purpose="OTHER")).clause == "R-5.3-j"
    require_allowed(replace(CASE, purpose="OTHER", advice="Proportionate for one week."), CODES)


def test_what_is_marked_private_needs_a_permit_that_counted_it() -> None:
    """R-5.3-l"""
    assert refusal(replace(CASE, kind="shielded")).clause == "R-5.3-l"
    require_allowed(replace(CASE, kind="shielded", parent="2026-001"), CODES)
    for code in ("OPS", "USE", "ABSENCE"):
        assert refusal(replace(CASE, kind="shielded", parent="2026-001", purpose=code)).clause == "R-5.3-l"


def test_closed_sites_are_opened_for_investigations_only() -> None:
    """R-5.2-e"""
    assert refusal(replace(CASE, kind="exemption", purpose="OPS")).clause == "R-5.2-e"
    require_allowed(replace(CASE, kind="exemption"), CODES)


def test_a_purpose_the_policy_file_leaves_out_opens_nothing() -> None:
    assert refusal(CASE, [code for code in CODES if code != "CASE"]).clause == "R-5.1-b"
    assert refusal(replace(CASE, purpose="CURIOSITY")).clause == "R-5.1-b"


@pytest.mark.parametrize("empty", ["reason", "alternative"])
def test_a_reason_and_a_gentler_way_are_always_given(empty: str) -> None:
    """R-5.0-a"""
    with pytest.raises(BadInput):
        require_allowed(replace(CASE, **{empty: " \n"}), CODES)


@pytest.mark.parametrize("part", [{"kind": "peek"}, {"depth": "everything"}])
def test_words_that_the_format_does_not_know_are_bad_input(part: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        require_allowed(replace(CASE, **part), CODES)
