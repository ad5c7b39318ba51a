"""A Decision survives the way into the record and back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.decision import Decision, Outcome
from muniment.policy.errors import BadInput

TEXT = st.text(max_size=40)
DECISIONS = st.builds(
    Decision,
    outcome=st.sampled_from(Outcome),
    rule=TEXT,
    rule_version=st.integers(0, 2**32),
    clause=TEXT,
    reason=TEXT,
    snapshot=TEXT,
    window=TEXT,
    exemption=TEXT,
    attribution=TEXT,
    confidence=st.none() | st.floats(0, 1),
    changes=st.lists(TEXT, max_size=4).map(tuple),
)
FOOTER = Decision(
    outcome=Outcome.ALTER,
    rule="mail.footer",
    rule_version=1,
    clause="R-2.2-b",
    reason="The message leaves the organisation without its particulars, so they were added",
    snapshot="ab" * 32,
    changes=("text/plain part",),
)


@given(DECISIONS)
def test_a_decision_comes_back_from_its_facts_unchanged(decision: Decision) -> None:
    assert Decision.from_facts(decision.to_facts()) == decision


@given(st.binary(max_size=200))
def test_hostile_facts_raise_bad_input_only(facts: bytes) -> None:
    try:
        decision = Decision.from_facts(facts)
    except BadInput:
        return
    assert isinstance(decision, Decision)


@given(DECISIONS, st.integers(0, 400), st.integers(0, 255))
def test_damaged_facts_raise_bad_input_or_give_a_decision(decision: Decision, place: int, byte: int) -> None:
    facts = bytearray(decision.to_facts())
    facts[place % len(facts)] = byte
    try:
        assert isinstance(Decision.from_facts(bytes(facts)), Decision)
    except BadInput as error:
        assert "Decision" in str(error)


def test_the_facts_of_a_footer_decision_are_these_bytes_for_ever() -> None:
    table = msgspec.msgpack.decode(FOOTER.to_facts())
    assert table == {
        "format": 1,
        "outcome": "alter",
        "rule": "mail.footer",
        "rule_version": 1,
        "clause": "R-2.2-b",
        "reason": FOOTER.reason,
        "snapshot": "ab" * 32,
        "changes": ["text/plain part"],
    }
    assert list(table) == sorted(table)


def test_facts_of_a_later_format_are_refused_with_their_version() -> None:
    with pytest.raises(BadInput, match="format 2, expected 1"):
        Decision.from_facts(msgspec.msgpack.encode({"format": 2}))


def test_facts_with_an_unknown_key_are_refused() -> None:
    table = msgspec.msgpack.decode(FOOTER.to_facts()) | {"extra": 1}
    with pytest.raises(BadInput, match="extra"):
        Decision.from_facts(msgspec.msgpack.encode(table))


def test_a_confidence_above_one_cannot_be_made() -> None:
    with pytest.raises(ValueError, match=r"confidence is 1\.5"):
        msgspec.structs.replace(FOOTER, confidence=1.5)
