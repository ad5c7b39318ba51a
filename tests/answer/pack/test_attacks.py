"""A pack that was tampered with is not proved, and the checker says what is wrong; no pack harms who checks it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import muniment_verify as verifier
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import Checkpoint
from muniment.record.ledger.merkle import leaf_hash
from muniment.record.ledger.note import Ed25519Signer
from muniment.record.ledger.proof import Proof
from tests.answer.pack.packing import made_home, make_pack

PACK = "muniment-pack-2026-003-1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[int]]:
    return made_home(tmp_path_factory.mktemp("attacks"))


@pytest.fixture(scope="module")
def true_pack(made: tuple[Home, list[int]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack without the two long messages, to be quick."""
    home, indexes = made
    return make_pack(tmp_path_factory.mktemp("out"), home, [*indexes[:3], indexes[5]]).path


@pytest.fixture
def folder(true_pack: Path, tmp_path: Path) -> Path:
    """The pack, unpacked, to be tampered with."""
    with zipfile.ZipFile(true_pack) as archive:
        archive.extractall(tmp_path)
    return tmp_path / PACK


@pytest.fixture(scope="module")
def key(made: tuple[Home, list[int]]) -> str:
    return (made[0].ledger / "vkey").read_text().strip()


def problems(path: Path, vkey: str | None = None, officer_key: str | None = None) -> list[str]:
    result = verifier.verify_pack(path, vkey, officer_key)
    return list(result["problems"])


def mend_manifests(folder: Path) -> None:
    """Do what any attacker can: write manifests that fit what lies there now."""
    for prefix, wanted in (("manifest", True), ("tagmanifest", False)):
        for algorithm in ("sha256", "sha512"):
            names = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            names = [path for path in names if (path.relative_to(folder).parts[0] == "data") is wanted]
            lines = [
                f"{hashlib.new(algorithm, path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
                for path in names
                if not path.name.startswith("tagmanifest")
            ]
            (folder / f"{prefix}-{algorithm}.txt").write_text("".join(lines))


def change(path: Path, edit: Callable[[Any], object]) -> None:
    value = json.loads(path.read_text())
    edit(value)
    path.write_text(json.dumps(value))


def test_one_changed_byte_in_any_file_is_named(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "bagit.txt" and not path.name.startswith("tagmanifest-sha512"):
            true = path.read_bytes()
            bad = bytearray(true)
            bad[len(bad) // 2] ^= 1
            path.write_bytes(bytes(bad))
            found = problems(folder)
            name = path.relative_to(folder).as_posix()
            assert found and (any(name in each for each in found) or "manifest" in name), name
            path.write_bytes(true)
    assert problems(folder) == []


@pytest.mark.parametrize("name", ["message.eml", "as-sent.eml"])
def test_a_changed_message_is_found_though_the_manifests_were_mended(folder: Path, name: str) -> None:
    path = folder / "data/0002" / name
    path.write_bytes(path.read_bytes().replace(b"Tuesday", b"Tuesdey"))
    mend_manifests(folder)
    assert problems(folder) == ["data/0002: the message is not the one that was recorded."]


def test_a_message_cut_or_lengthened_is_found_though_the_disclosure_was_mended_too(folder: Path) -> None:
    path = folder / "data/0001/message.eml"
    path.write_bytes(path.read_bytes() + b"x")
    mend_manifests(folder)
    assert problems(folder) == ["data/0001: the message has another length than the one recorded."]

    def longer(value: Any) -> None:
        value["faces"][0][0] += 1
        value["faces"][0][1][-1] += 1

    change(folder / "data/0001/disclosure.json", longer)
    mend_manifests(folder)
    assert problems(folder) == ["data/0001: the message is not the one that was recorded."]


@pytest.mark.parametrize("name", ["data/0001/message.eml", "data/0001/entry.json", "data/0002/as-sent.eml", "verify.py",
                                  "data/statement.txt", "data/permit/approval.json"])  # fmt: skip
def test_a_missing_file_is_named(folder: Path, name: str, key: str) -> None:
    (folder / name).unlink()
    assert any(f"{name} is missing" in each for each in problems(folder, key))


@pytest.mark.parametrize(
    "name", ["data/0001/message.eml", "data/0002/as-sent.eml", "data/permit/approval.json"]
)
def test_a_missing_file_is_found_though_the_manifests_were_mended(folder: Path, name: str) -> None:
    (folder / name).unlink()
    mend_manifests(folder)
    assert problems(folder)


def test_an_added_file_is_named(folder: Path) -> None:
    (folder / "data/0001/more.txt").write_text("x")
    (folder / "setup.exe").write_bytes(b"x")
    assert set(problems(folder)) == {
        "data/0001/more.txt was added: no manifest names it.",
        "setup.exe was added: no manifest names it.",
    }


def test_what_a_file_manager_leaves_is_passed_over(folder: Path) -> None:
    for name in (".DS_Store", "data/.DS_Store", "data/0001/Thumbs.db"):
        (folder / name).write_bytes(b"x")
    assert problems(folder) == []


def test_a_face_that_was_never_recorded_is_found(folder: Path) -> None:
    shutil.copy(folder / "data/0001/message.eml", folder / "data/0001/as-sent.eml")
    mend_manifests(folder)
    assert problems(folder) == ["data/0001: the message has another length than the one recorded."]


@pytest.mark.parametrize(
    "names", [("message.eml",), ("entry.json",), ("disclosure.json",), ("message.eml", "disclosure.json")]
)
def test_files_swapped_between_messages_are_found(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        one, two = folder / "data/0001" / name, folder / "data/0003" / name
        first = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(first)
    mend_manifests(folder)
    found = problems(folder)
    assert [each[:9] for each in found] == ["data/0001", "data/0003"]


def test_a_holder_is_not_lent_to_an_entry_that_holds_its_own_bytes(folder: Path) -> None:
    """Else any recorded message could be shown under the entry, the time and the number of another."""
    entry = json.loads((folder / "data/0003/entry.json").read_text())
    shutil.copy(folder / "data/0003/message.eml", folder / "data/0001/message.eml")
    shutil.copy(folder / "data/0003/disclosure.json", folder / "data/0001/disclosure.json")
    number = json.loads((folder / "data/0001/entry.json").read_text())["number"]
    change(folder / "data/0001/disclosure.json", lambda value: value.update(holder=entry, number=number))
    mend_manifests(folder)
    assert problems(folder) == ["data/0001: only a message that came again is held by an earlier entry."]


def test_another_logs_key_and_another_officers_key_are_found(folder: Path, key: str) -> None:
    other = Ed25519Signer(key.split("+")[0], bytes(range(32)))
    found = problems(folder, str(other.key))
    assert len(found) >= 4 and "not signed by the key" in found[0]
    stranger = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    assert problems(folder, key, stranger) == [
        "the permit: the approval is not by the officer's key you gave."
    ]


def test_a_log_made_up_by_the_attacker_is_found_by_whoever_has_the_true_key(folder: Path, key: str) -> None:
    origin = key.split("+")[0]
    signer = Ed25519Signer(origin, b"f" * 32)

    def forge(value: Any) -> None:
        leaf = base64.b64decode(value["leaf"])
        note = Checkpoint(origin, 1, leaf_hash(leaf)).sign(signer)
        value.update(vkey=str(signer.key), index=0, proof=Proof(0, (), note).to_text())

    change(folder / "data/0001/entry.json", forge)
    mend_manifests(folder)
    assert any(each.startswith("data/0001: the ") for each in problems(folder, key))
    assert problems(folder), "its own key fits the first message, and none of the others"


@pytest.mark.parametrize("field", ["reason", "purpose", "days", "number", "origin", "revision"])
def test_a_changed_permission_is_found(folder: Path, field: str) -> None:
    for name in ("request.json", "approval.json"):
        path = folder / "data/permit" / name
        if field in json.loads(path.read_text()):
            true = path.read_bytes()
            change(path, lambda value: value.update({field: value[field] * 2}))
            mend_manifests(folder)
            assert [each[:10] for each in problems(folder)] == ["the permit"]
            path.write_bytes(true)


def test_a_permission_signed_by_somebody_else_is_found(folder: Path) -> None:
    permit = folder / "data/permit"
    forger = Ed25519PrivateKey.generate()
    signature = forger.sign(b"muniment/1 approval\n" + (permit / "approval.json").read_bytes())
    (permit / "signature.txt").write_bytes(base64.b64encode(signature))
    mend_manifests(folder)
    assert "signature" in problems(folder)[0]
    true_key = json.loads((permit / "officer.json").read_text())["signing_key"]
    public = base64.b64encode(forger.public_key().public_bytes_raw()).decode()
    change(permit / "officer.json", lambda value: value.update(signing_key=public))
    mend_manifests(folder)
    assert problems(folder) == []  # it agrees with itself; the page prints the key, and the true one tells
    assert problems(folder, officer_key=true_key)


def test_a_key_that_fits_every_text_is_no_officers(folder: Path) -> None:
    weak = base64.b64encode((1).to_bytes(32, "little")).decode()
    change(folder / "data/permit/officer.json", lambda value: value.update(signing_key=weak))
    (folder / "data/permit/signature.txt").write_bytes(base64.b64encode((1).to_bytes(64, "little")))
    mend_manifests(folder)
    assert "signature" in problems(folder)[0]


def rezip(
    folder: Path, target: Path, more: Callable[[zipfile.ZipFile], object] = lambda archive: None
) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{PACK}/{path.relative_to(folder).as_posix()}")
        more(archive)
    return target


def test_a_pack_that_somebody_packed_again_is_proved(folder: Path, tmp_path: Path) -> None:
    assert problems(rezip(folder, tmp_path / "again.zip")) == []


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", f"{PACK}/../../evil", f"{PACK}/data/a b", f"{PACK}/.hidden",
                                  "..\\evil", f"{PACK}/data/0001/\u202eexe.txt", "C:/evil", f"{PACK}//x"])  # fmt: skip
def test_a_name_that_leads_out_of_the_folder_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    bad = rezip(folder, tmp_path / "bad.zip", lambda archive: archive.writestr(name, b"x"))
    with pytest.raises(verifier.Unreadable):
        verifier.verify_pack(bad)
    assert not (tmp_path / "evil").exists() and not (tmp_path.parent / "evil").exists()


def test_a_name_that_stands_twice_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning):
        bad = rezip(
            folder,
            tmp_path / "bad.zip",
            lambda archive: archive.writestr(f"{PACK}/data/0001/message.eml", b"x"),
        )
    with pytest.raises(verifier.Unreadable, match="twice"):
        verifier.verify_pack(bad)


def test_a_bomb_is_refused_before_it_is_unpacked(folder: Path, tmp_path: Path) -> None:
    bad = rezip(folder, tmp_path / "bad.zip")
    data = bytearray(bad.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")  # says it is 4 GB
    for other in [match.start() for match in re.finditer(b"PK\x01\x02", bytes(data))][:4]:
        data[other + 24 : other + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    bad.write_bytes(bytes(data))
    with pytest.raises(verifier.Unreadable, match="more than"):
        verifier.verify_pack(bad)


def test_a_small_file_that_unpacks_to_more_than_it_says_is_found(folder: Path, tmp_path: Path) -> None:
    def bomb(archive: zipfile.ZipFile) -> None:
        archive.writestr(f"{PACK}/data/zeros", bytes(50 << 20))

    bad = rezip(folder, tmp_path / "bad.zip", bomb)
    data = bytearray(bad.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    bad.write_bytes(bytes(data))
    assert any("zeros" in each for each in problems(bad))


def test_links_in_a_folder_are_not_followed_unsaid(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    (folder / "data" / "0009").symlink_to(tmp_path / "outside")
    assert any("0009" in each for each in problems(folder))


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"{}", b"[]", b"null", b"PK\x03\x04" + bytes(100)]
)
def test_what_is_no_pack_is_not_readable(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(data)
    assert verifier.main([str(path)]) == verifier.UNREADABLE


def test_an_empty_folder_is_no_pack(tmp_path: Path) -> None:
    assert verifier.main([str(tmp_path)]) == verifier.UNREADABLE
    assert verifier.main([str(tmp_path / "none")]) == verifier.UNREADABLE


def test_the_exit_code_and_the_page_tell_a_false_pack(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data/0001/message.eml").write_bytes(b"forged")
    assert verifier.main([str(folder)]) == verifier.NOT_PROVED
    page = capsys.readouterr().out
    assert "NOT PROVED. What is wrong:" in page and "3 message(s) are" in page
    assert verifier.main([str(folder), "--json"]) == verifier.NOT_PROVED
    assert json.loads(capsys.readouterr().out)["verified"] is False


JSON_FILES = ["data/0001/entry.json", "data/0002/disclosure.json", "data/permit/request.json",
              "data/permit/approval.json", "data/permit/officer.json"]  # fmt: skip
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(name=st.sampled_from(JSON_FILES), data=st.data())
def test_whatever_stands_in_a_field_is_a_problem_and_no_stray_error(
    true_pack: Path, name: str, data: st.DataObject
) -> None:
    with zipfile.ZipFile(true_pack) as archive:
        members = {item: archive.read(item) for item in archive.namelist()}
    value = json.loads(members[f"{PACK}/{name}"])
    field = data.draw(st.sampled_from(sorted(value)))
    found = data.draw(_json)
    if value[field] == found and type(value[field]) is type(found):
        return
    value[field] = found
    members[f"{PACK}/{name}"] = json.dumps(value).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for item, content in members.items():
            archive.writestr(item, content)
    path = true_pack.with_name("field.zip")
    path.write_bytes(out.getvalue())
    try:
        assert problems(path)
    except verifier.Unreadable as error:
        assert str(error)
