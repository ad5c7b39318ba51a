"""The officers' keys change with the record, never by an edit of the policy file alone."""

from __future__ import annotations

import base64
import json

import pytest

from muniment.policy.errors import BadInput, Conflict
from muniment.policy.policyfile import parse
from muniment.record.officers import OfficerSet
from tests.organisation import OFFICERS, policy_bytes, public_key_base64, signing_key_base64


def officers(**overrides: object) -> OfficerSet:
    return OfficerSet.from_policy(parse(policy_bytes(**overrides)))


def test_the_set_holds_every_officer_and_the_recovery_key():
    found = officers()
    assert [r.id for r in found.recipients] == [*(officer.id for officer in OFFICERS), "recovery"]
    assert len(set(found.keys.values())) == 4


def test_what_the_record_states_is_read_back_the_same():
    found = officers()
    assert OfficerSet.from_json(found.to_json()) == found


def test_every_officer_has_a_signing_key_and_the_recovery_key_has_none():
    found = officers()
    assert found.signing_keys == {
        officer.id: base64.b64decode(signing_key_base64(officer.id)) for officer in OFFICERS
    }
    stated = json.loads(found.to_json())
    assert [("signing_key" in key) for key in stated["keys"]] == [True, True, True, False]


@pytest.mark.parametrize("weak", ["", "A" * 43 + "=", "AQ" + "A" * 41 + "=", "7" + "/" * 41 + "38="])
def test_a_stated_signing_key_that_fits_every_text_is_bad_input(weak: str):
    stated = json.loads(officers().to_json())
    stated["keys"][0]["signing_key"] = weak
    with pytest.raises(BadInput):
        OfficerSet.from_json(json.dumps(stated).encode())


def test_the_statement_holds_no_name_and_no_address():
    text = officers().to_json().decode()
    assert "Example" not in text and "@" not in text
    stated = json.loads(text)
    assert stated["format"] == "muniment-officers/1"
    assert {key["id"]: key["role"] for key in stated["keys"]}["chair"] == "alternate"


def test_a_changed_name_or_address_is_no_change_of_keys():
    officers(officers__0__name="Morgan Married").require_same(officers().to_json())


def test_the_order_of_officers_does_not_matter():
    found = officers()
    turned = OfficerSet(found.recipients[::-1], found.roles[::-1], found.signatures[::-1])
    turned.require_same(found.to_json())
    assert turned.version == found.version


def test_before_the_first_statement_any_set_is_right():
    officers().require_same(b"")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"officers__0__public_key": public_key_base64("thief")}, "managing-director has another key"),
        ({"officers__0__signing_key": signing_key_base64("thief")}, "managing-director has another key"),
        ({"recovery__public_key": public_key_base64("thief")}, "recovery has another key"),
        ({"officers__1": ...}, "office-manager is missing"),
        ({"officers__1__id": "deputy"}, "deputy is not in the record"),
    ],
)
def test_a_key_that_only_the_file_has_is_a_conflict_that_says_what_to_do(
    overrides: dict[str, object], told: str
):
    with pytest.raises(Conflict, match=told) as caught:
        officers(**overrides).require_same(officers().to_json())
    assert "Put back the lines" in str(caught.value)


def test_the_conflict_names_the_recorded_key():
    with pytest.raises(Conflict) as caught:
        officers(officers__0__public_key=public_key_base64("thief")).require_same(officers().to_json())
    assert public_key_base64("managing-director") in str(caught.value)


def test_only_the_new_key_counts_as_a_newcomer():
    changed = officers(officers__0__public_key=public_key_base64("successor"))
    assert [r.id for r in changed.newcomers(officers().to_json())] == ["managing-director"]
    assert changed.newcomers(changed.to_json()) == ()


@pytest.mark.parametrize(
    "stated",
    [
        b"{",
        b"[]",
        b'{"format":"muniment-officers/2","keys":[]}',
        b'{"format":"muniment-officers/1","keys":[],"x":1}',
    ],
)
def test_a_statement_of_another_form_is_bad_input(stated: bytes):
    with pytest.raises(BadInput):
        OfficerSet.from_json(stated)


def test_a_stated_key_that_seals_nothing_is_bad_input():
    stated = json.loads(officers().to_json())
    stated["keys"][0]["public_key"] = "A" * 43 + "="
    with pytest.raises(BadInput, match="would seal nothing"):
        OfficerSet.from_json(json.dumps(stated).encode())
