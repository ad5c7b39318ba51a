"""A pack holds what was recorded, says what was searched, is the same each time, and a stranger can check it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import bagit
import pyrage
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

import muniment_verify as verifier
from muniment.answer.pack import MOST_MESSAGES, build_pack
from muniment.answer.pack import verifier as shipped_verifier
from muniment.answer.pack_message import PackMessage
from muniment.policy.errors import BadInput, Unavailable
from muniment.record.home import Home
from tests.answer.pack.packing import FOOTER, LONG, about, made_home, make_pack, messages_of, papers
from tests.record.recording import check_record, message

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[int]]:
    return made_home(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def pack(made: tuple[Home, list[int]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("out"), *made).path


@pytest.fixture(scope="module")
def unpacked(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(folder)
    return folder / "muniment-pack-2026-003-1"


def vkey(home: Home) -> str:
    return (home.ledger / "vkey").read_text().strip()


def test_every_message_of_a_pack_is_there_as_written_and_as_sent(unpacked: Path) -> None:
    data = unpacked / "data"
    assert (data / "0001/message.eml").read_bytes() == message(1)
    assert not (data / "0001/as-sent.eml").exists()
    assert (data / "0002/as-sent.eml").read_bytes() == message(2) + FOOTER
    assert (data / "0004/message.eml").read_bytes() == LONG
    assert (data / "0004/as-sent.eml").read_bytes() == LONG + FOOTER
    assert (data / "0006/message.eml").read_bytes() == message(1)


def test_a_pack_is_a_bag_to_the_library_of_congress(unpacked: Path) -> None:
    bag = bagit.Bag(str(unpacked))
    bag.validate()
    assert bag.info["External-Identifier"].endswith("permit 2026-003 revision 1")


def test_the_zip_file_is_whole_and_packs_nothing(pack: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        assert archive.testzip() is None
        for item in archive.infolist():
            assert item.file_size == item.compress_size
            assert item.date_time == (1980, 1, 1, 0, 0, 0)


def test_a_pack_is_proved_whole(pack: Path, unpacked: Path, made: tuple[Home, list[int]]) -> None:
    officer = json.loads((unpacked / "data/permit/officer.json").read_text())["signing_key"]
    for path in (pack, unpacked):
        result = verifier.verify_pack(path, vkey(made[0]), officer)
        assert result["problems"] == []
        assert len(result["messages"]) == 6
        assert any("approval of permit 2026-003" in claim for claim in result["proved"])
        assert not any(gap.startswith(("Whose log", "Whose key")) for gap in result["not_proved"])
        assert any("came again" in gap for gap in result["not_proved"])


def test_without_keys_of_ones_own_a_pack_is_said_to_agree_with_itself_only(pack: Path) -> None:
    result = verifier.verify_pack(pack)
    assert result["problems"] == []
    assert any(gap.startswith("Whose log") for gap in result["not_proved"])
    assert any(gap.startswith("Whose key") for gap in result["not_proved"])


def test_a_stranger_checks_a_pack_with_the_program_in_it_and_nothing_else(pack: Path, unpacked: Path) -> None:
    for path in (pack, unpacked):
        command = [sys.executable, "-I", "-S", str(unpacked / "verify.py"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd="/")
        assert (done.returncode, done.stderr) == (0, "")
        assert "6 message(s)" in done.stdout
    assert (unpacked / "verify.py").read_bytes() == shipped_verifier()


def test_the_same_things_give_the_same_bytes(
    made: tuple[Home, list[int]], pack: Path, tmp_path: Path
) -> None:
    assert make_pack(tmp_path, *made).path.read_bytes() == pack.read_bytes()


def test_the_disclosure_in_the_record_can_name_a_pack_by_its_manifest(
    made: tuple[Home, list[int]], tmp_path: Path
) -> None:
    done = make_pack(tmp_path, made[0], made[1][:1])
    assert verifier.verify_pack(done.path)["manifest_sha256"] == done.manifest_sha256
    assert (done.entries, done.size_bytes) == (1, done.path.stat().st_size)
    assert done.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["statement.txt", "VERIFY.txt", "index.html", "0002/message.txt"])
def test_the_texts_of_a_pack_are_the_promised_ones(unpacked: Path, name: str) -> None:
    path = unpacked / (name if name == "VERIFY.txt" else f"data/{name}")
    # The log's key is made anew for each record, and so is the entry's place in it.
    text = re.sub(r"\+[0-9a-f]{8}\+[\w+/=]{44}", "+KEY", path.read_text())
    text = re.sub(r"over \d+ entries", "over N entries", text)
    assert text == (GOLDEN / name.replace("/", "-")).read_text()


def test_a_pages_words_are_escaped_and_it_asks_the_network_for_nothing(unpacked: Path) -> None:
    page = (unpacked / "data/index.html").read_text()
    assert "Mail about &lt;the register&gt;" in page and "<the register>" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"(?!00\d\d/|statement\.html)", page)


def test_the_pages_of_a_pack_open_offline_on_a_phone_and_are_clean_to_axe(unpacked: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.context.set_offline(True)
        for name in ("index", "statement"):
            page.goto(f"file://{unpacked}/data/{name}.html")
            assert Axe().run(page).response["violations"] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
    assert {url.rpartition("/")[2] for url in asked} == {"index.html", "statement.html"}


def test_a_pack_encrypted_to_its_recipient_opens_with_her_key_only(
    made: tuple[Home, list[int]], tmp_path: Path
) -> None:
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    clear = make_pack(tmp_path, made[0], made[1][:2], "clear.zip").path.read_bytes()
    sealed = make_pack(
        tmp_path, made[0], made[1][:2], "pack.zip.age", age_recipient=str(key.to_public())
    ).path.read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1") and message(1) not in sealed
    assert pyrage.decrypt(sealed, [key]) == clear
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [other])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clear.zip", "pack.zip.age"]


@pytest.mark.parametrize("recipient", ["age1", "nobody", "ssh-rsa AAAA", "AGE-SECRET-KEY-1", "age1\n--", "-"])
def test_a_recipient_that_is_none_is_refused_and_nothing_is_written(
    made: tuple[Home, list[int]], tmp_path: Path, recipient: str
) -> None:
    with pytest.raises(BadInput, match="key"):
        make_pack(tmp_path, *made, age_recipient=recipient)
    assert list(tmp_path.iterdir()) == []


def test_a_pack_that_breaks_off_leaves_nothing(made: tuple[Home, list[int]], tmp_path: Path) -> None:
    def broken(messages: Iterator[PackMessage]) -> Iterator[PackMessage]:
        yield next(messages)
        raise Unavailable("the record does not answer")

    key = str(pyrage.x25519.Identity.generate().to_public())
    for recipient in ("", key):
        with messages_of(*made) as (exporter, messages), pytest.raises(Unavailable):
            build_pack(tmp_path / "pack.zip", broken(messages), about(exporter), age_recipient=recipient)
    assert list(tmp_path.iterdir()) == []


def test_a_pack_of_nothing_or_of_too_much_is_refused(made: tuple[Home, list[int]], tmp_path: Path) -> None:
    home, indexes = made
    with pytest.raises(BadInput, match="at least one"):
        make_pack(tmp_path, home, [])
    with messages_of(home, indexes) as (exporter, messages):
        one = next(messages)
        with pytest.raises(BadInput, match="several packs"):
            build_pack(tmp_path / "p.zip", (one for _ in range(MOST_MESSAGES + 1)), about(exporter))


def test_two_thousand_messages_are_packed_and_checked(made: tuple[Home, list[int]], tmp_path: Path) -> None:
    with messages_of(made[0], made[1][1:2]) as (exporter, messages):
        one = next(messages)
        done = build_pack(tmp_path / "p.zip", (one for _ in range(2000)), about(exporter))
    assert done.entries == 2000
    result = verifier.verify_pack(done.path)
    assert (result["problems"], len(result["messages"])) == ([], 2000)


def test_an_older_checkpoint_than_the_permits_is_said_and_no_failure(
    made: tuple[Home, list[int]], tmp_path: Path
) -> None:
    with messages_of(*made) as (exporter, messages):
        size = exporter.checkpoint.size
        later = about(exporter, papers=papers(exporter.checkpoint.origin, size + 100))
        done = build_pack(tmp_path / "p.zip", messages, later)
    result = verifier.verify_pack(done.path)
    assert result["problems"] == []
    assert any(f"is older, over {size}" in claim for claim in result["proved"])


def test_making_packs_changes_nothing_in_the_record(made: tuple[Home, list[int]]) -> None:
    check_record(made[0])
