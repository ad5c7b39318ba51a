"""An officer changes, leaves, loses the words or dies, and the record goes on. R-5.2-f, R-5.2-g."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from muniment.cli.main import main
from muniment.policy.errors import Conflict, Missing
from muniment.policy.policyfile import load
from muniment.record.catalogue import Catalogue
from muniment.record.home import Home
from muniment.record.keyfile import open_key, parse_key_file
from muniment.record.keys.history import current_officers
from muniment.record.opening import lock_record
from tests.cli.keys_home import keys_home, recovery_words, run_json, with_key
from tests.cli.terminal import terminal
from tests.organisation import policy_text, private_key_bytes, public_key_base64, signing_key_base64
from tests.record.recording import check_record, contents, mail, message, officer_view, recording


def new_key(tmp_path: Path, capsys, owner: str = "office-manager", name: str = "Olive Example") -> dict:
    code, told, _ = run_json(
        capsys, "keys", "new-key", "--officer", owner, "--name", name, "--out", tmp_path / "new.json"
    )
    assert code == 0
    return told


def private_of(told: dict) -> bytes:
    return open_key(
        parse_key_file(Path(told["file"]).read_bytes()), told["words"].replace(" ", "-")
    ).private_bytes_raw()


def replace(home: Home, capsys, told: dict, *options: object) -> tuple[int, dict, str]:
    request = ["--request", told["request"], "--key-id", told["key_id"]]
    return run_json(capsys, "keys", "replace-officer", "--home", home.path, *request, *options)


def opened(home: Home, private: bytes) -> set[bytes]:
    """Return every message that a key opens; the record holds no other content."""
    found = set()
    with officer_view(home, private=private) as view:
        for row in view.catalogue.rows("channel = 1"):
            found.add(view.open(row.idx).content)
    return found


def test_an_officer_who_changes_keys_hands_the_record_on_to_herself(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    code, done, _ = replace(home, capsys, told, *with_key(tmp_path, "office-manager"))
    assert code == 0
    assert done["newcomers"] == {"office-manager": told["key_id"]}
    with recording(home) as record:
        record.append([mail(7)])
    assert opened(home, private_of(told)) == {message(n) for n in (0, 1, 2, 7)}
    check_record(home)


def test_an_officer_leaves_and_another_person_gets_the_office(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys, name="Nora New")
    code, _, said = replace(home, capsys, told, *with_key(tmp_path, "chair"))
    assert code == 2
    assert "Is it another person now?" in said
    changed = ["--name", "Nora New", "--address", "nora@training.example"]
    code, done, _ = replace(home, capsys, told, *changed, *with_key(tmp_path, "chair"))
    assert code == 0
    officer = next(each for each in load(home.policy_file).officers if each.id == "office-manager")
    assert (officer.name, officer.address) == ("Nora New", "nora@training.example")
    with recording(home) as record:
        [later] = record.append([mail(9)])
    assert opened(home, private_of(told)) == {message(n) for n in (0, 1, 2, 9)}
    assert done["departed"]["office-manager"]["entries"] > 3  # what she can still open is said
    with (
        officer_view(home, "office-manager") as view,
        pytest.raises(Missing, match="never sealed to this key"),
    ):
        view.open(later.index)
    check_record(home)


def test_an_officer_leaves_and_nobody_comes(tmp_path, capsys):
    home = keys_home(tmp_path)
    home.policy_file.write_text(policy_text(officers__1=...))
    code, done, _ = run_json(
        capsys, "keys", "replace-officer", "--home", home.path, *with_key(tmp_path, "chair")
    )
    assert (code, done["newcomers"], list(done["departed"])) == (0, {}, ["office-manager"])
    with recording(home):
        assert "office-manager" not in current_officers(home).keys
    assert len(contents(home)) == 3
    check_record(home)


@pytest.mark.parametrize("cause", ["loses the words", "dies"])
def test_without_her_old_key_another_officer_is_enough(tmp_path, capsys, cause):
    home = keys_home(tmp_path)
    (tmp_path / "managing-director.json").unlink()
    name = "Morgan Example" if cause == "loses the words" else "Sam Successor"
    told = new_key(tmp_path, capsys, "managing-director", name)
    changed = [] if cause == "loses the words" else ["--name", name, "--address", "sam@training.example"]
    code, _, _ = replace(home, capsys, told, *changed, *with_key(tmp_path, "office-manager"))
    assert code == 0
    assert opened(home, private_of(told)) == {message(n) for n in range(3)}
    check_record(home)


def test_without_any_officers_key_the_sheet_in_the_safe_is_enough(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    arguments = [
        "keys",
        "replace-officer",
        "--home",
        str(home.path),
        "--request",
        told["request"],
        "--recovery",
    ]
    with terminal(arguments, tmp_path) as screen:
        screen.wait_for("The last 4 digits you hear: ")
        screen.type(told["key_id"][-4:])
        screen.wait_for("Recovery key, the 24 words of part one: ")
        screen.type(recovery_words())
        assert screen.finish() == 0, screen.shown
    assert "is out: nothing is sealed to it from now on" in screen.shown
    assert "abandon" not in screen.shown and recovery_words() not in screen.shown
    assert opened(home, private_of(told)) == {message(n) for n in range(3)}
    assert private_key_bytes("recovery") not in b"".join(
        path.read_bytes() for path in home.path.rglob("*") if path.is_file()
    )
    check_record(home)


def test_a_request_with_another_key_id_than_was_read_aloud_is_refused(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    before = home.policy_file.read_bytes()
    told["key_id"] = "0" * 16
    code, _, said = replace(home, capsys, told, *with_key(tmp_path, "chair"))
    assert (code, home.policy_file.read_bytes()) == (3, before)
    assert "somebody may have put in a key of their own" in said


@pytest.mark.parametrize("field", ["public_key", "signing_key", "id", "name"])
def test_a_request_altered_on_its_way_is_refused(tmp_path, capsys, field):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    request = json.loads(Path(told["request"]).read_text())
    request[field] = {
        "public_key": public_key_base64("thief"),
        "signing_key": signing_key_base64("thief"),
    }.get(field, "chair")
    Path(told["request"]).write_text(json.dumps(request))
    code, _, said = replace(home, capsys, told, *with_key(tmp_path, "chair"))
    assert code == 2
    assert "was altered on its way" in said


def test_who_was_an_officer_once_hands_nothing_on(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    assert replace(home, capsys, told, *with_key(tmp_path, "chair"))[0] == 0
    (tmp_path / "new.json").unlink()
    (tmp_path / "new.json.request").unlink()
    before = home.policy_file.read_bytes()
    again = new_key(tmp_path, capsys, "chair", "Chris Example")
    code, _, said = replace(home, capsys, again, *with_key(tmp_path, "office-manager"))
    assert code == 3
    assert "not the key of anybody who is an officer now" in said
    assert home.policy_file.read_bytes() == before
    with recording(home):
        pass  # it starts: nothing was changed
    check_record(home)


def test_a_newcomer_in_the_file_alone_is_refused_and_nothing_is_sealed_to_him(tmp_path, capsys):
    home = keys_home(tmp_path)
    home.policy_file.write_text(
        policy_text(
            officers__1__public_key=public_key_base64("thief"),
            officers__1__signing_key=signing_key_base64("thief"),
        )
    )
    with pytest.raises(Conflict, match="office-manager has another key"):
        recording(home).__enter__()
    assert public_key_base64("thief") not in current_officers(home).to_json().decode()


def test_it_says_that_the_recorder_must_be_stopped(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    with lock_record(home):
        code, _, said = replace(home, capsys, told, *with_key(tmp_path, "chair"))
    assert code == 5
    assert "stop it first" in said


def test_a_replacement_stopped_after_the_file_was_written_is_taken_up_again(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    text = home.policy_file.read_text()
    home.policy_file.write_text(
        text.replace(public_key_base64("office-manager"), told["public_key"]).replace(
            signing_key_base64("office-manager"), told["signing_key"]
        )
    )
    with pytest.raises(Conflict):
        recording(home).__enter__()
    code, done, _ = run_json(
        capsys, "keys", "replace-officer", "--home", home.path, *with_key(tmp_path, "chair")
    )
    assert (code, list(done["newcomers"])) == (0, ["office-manager"])
    assert opened(home, private_of(told)) == {message(n) for n in range(3)}
    check_record(home)


def test_with_the_wrong_six_words_nothing_is_changed(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    before = home.policy_file.read_bytes()
    (tmp_path / "words").write_text("zoo zoo zoo zoo zoo zoo")
    code, _, said = replace(home, capsys, told, *with_key(tmp_path, "chair"))
    assert (code, home.policy_file.read_bytes()) == (2, before)
    assert "do not open the key of chair" in said


def test_new_key_overwrites_nothing_and_its_words_are_shown_once(tmp_path, capsys):
    told = new_key(tmp_path, capsys)
    kept = Path(told["file"]).read_bytes()
    again = ["keys", "new-key", "--officer", "chair", "--name", "C", "--out", told["file"]]
    assert main(again) == 5
    assert Path(told["file"]).read_bytes() == kept
    assert Path(told["file"]).stat().st_mode & 0o777 == 0o600
    assert told["words"].replace(" ", "-").encode() not in kept + Path(told["request"]).read_bytes()


def test_the_record_states_the_new_set_behind_the_sealed_shares(tmp_path, capsys):
    home = keys_home(tmp_path)
    told = new_key(tmp_path, capsys)
    replace(home, capsys, told, *with_key(tmp_path, "chair"))
    catalogue = Catalogue(home.database)
    with officer_view(home, private=private_of(told)) as view:
        plains = [view.open(row.idx).plain for row in catalogue.rows("stream = 1 AND position > 0")]
    catalogue.close()
    formats = [json.loads(plain)["format"] for plain in plains]
    assert formats == ["muniment-officers/1", "muniment-shares/1", "muniment-officers/1"]
