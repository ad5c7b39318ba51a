"""Notes lie sealed; only the room's key opens them, and a change that cannot be stored changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.notes import Notes, notes_key
from muniment.answer.room_values import Note
from muniment.policy.errors import BadInput, Tampered, Unavailable

KEY = notes_key(bytes(32))
NOTE = Note(text="The chrysanthemum clause matters.", by="Hannah", at_ms=1)


def test_they_come_back_and_nothing_of_them_is_readable(tmp_path):
    path = tmp_path / "notes.sealed"
    Notes(path, KEY, "2026-001-1").add(7, NOTE, ["pack", " for  the case ", "pack"])
    assert b"chrysanthemum" not in path.read_bytes()
    found = Notes(path, KEY, "2026-001-1")
    assert found.of(7).notes == [NOTE]
    assert found.of(7).tags == ["pack", "for the case"]
    assert found.tagged("pack") == {7}
    assert found.of(8).notes == []


def test_a_note_is_added_and_tags_are_set(tmp_path):
    notes = Notes(tmp_path / "n", KEY, "r")
    notes.add(1, NOTE, ["a"])
    notes.add(1, NOTE, None)
    assert len(notes.of(1).notes) == 2
    assert notes.add(1, None, []).tags == []


def test_another_key_room_or_byte_opens_nothing(tmp_path):
    path = tmp_path / "n"
    Notes(path, KEY, "r").add(1, NOTE, None)
    for key, name in ((notes_key(bytes([1]) * 32), "r"), (KEY, "other")):
        with pytest.raises(Tampered):
            Notes(path, key, name)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(Tampered):
        Notes(path, KEY, "r")


@given(st.binary(max_size=200))
def test_hostile_bytes_are_tampered_and_no_more(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("notes") / "n"
    path.write_bytes(data)
    with pytest.raises(Tampered):
        Notes(path, KEY, "r")


def test_each_writing_has_a_nonce_of_its_own(tmp_path):
    path = tmp_path / "n"
    notes = Notes(path, KEY, "r")
    seen = set()
    for _ in range(5):
        notes.add(1, None, ["a"])
        seen.add(path.read_bytes()[:12])
    assert len(seen) == 5


def test_what_cannot_be_stored_changes_nothing(tmp_path):
    notes = Notes(tmp_path / "gone" / "n", KEY, "r")
    with pytest.raises(Unavailable):
        notes.add(1, NOTE, ["a"])
    assert notes.of(1).notes == [] and notes.of(1).tags == []


def test_too_much_is_refused(tmp_path):
    notes = Notes(tmp_path / "n", KEY, "r")
    with pytest.raises(BadInput):
        notes.add(1, Note(text="x" * 10_001, by="", at_ms=0), None)
    with pytest.raises(BadInput):
        notes.add(1, None, [str(n) for n in range(21)])
