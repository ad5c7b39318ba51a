"""A pack made by a real room, under a permit that the record holds, is proved by a stranger; what came again too."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.answer.room_client import RoomClient
from muniment.record.keyfile import signing_public_of
from tests.answer.pack.packing import FOOTER, LONG
from tests.answer.reading import files
from tests.answer.room.granting import Granted, append, grant, letter, recorded
from tests.organisation import private_key_bytes
from tests.serve.house import House

SENT_AGAIN = letter(1, "Marking", "The marks were read from the wrong column.")
WITH_FILE = letter(
    2, "With a file", "", content=files.message("See the file.", ("plan.docx", files.docx("wombat")))
)
VERIFIER = Path(__file__).parents[3] / "src" / "muniment_verify" / "__init__.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Granted, RoomClient, list[int]]]:
    entries = [SENT_AGAIN, SENT_AGAIN, WITH_FILE, letter(4, "Long", "", content=LONG)]
    with recorded(tmp_path_factory.mktemp("packing"), ()) as house:
        indexes = append(house.home, entries)
        granted = grant(house.home)
        with granted.opened() as room:
            yield house, granted, room, indexes


def checked(house: House, path: Path, *more: str) -> tuple[int, str]:
    """Check a pack as a stranger does: no package but the standard library, both keys had by another way."""
    private = X25519PrivateKey.from_private_bytes(private_key_bytes("managing-director"))
    officer = base64.b64encode(signing_public_of(private)).decode()
    vkey = (house.home.ledger / "vkey").read_text().strip()
    command = [
        sys.executable,
        "-I",
        "-S",
        str(VERIFIER),
        str(path),
        "--vkey",
        vkey,
        "--officer-key",
        officer,
        *more,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_pack_of_a_room_is_proved(made: tuple[House, Granted, RoomClient, list[int]]) -> None:
    house, granted, room, indexes = made
    result = room.pack(indexes, "For the hearing", "The panel needs it", "The panel")
    path = granted.place.folder / result.path
    code, page = checked(house, path)
    assert code == 0, page
    assert "4 message(s)" in page and "That a message came again" in page
    assert "Whose log" not in page and "Whose key" not in page
    assert result.manifest_sha256 in page
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        folder = names[0].partition("/")[0]
        assert archive.read(f"{folder}/data/0001/message.eml") == archive.read(
            f"{folder}/data/0002/message.eml"
        )
        assert archive.read(f"{folder}/data/0004/message.eml") == LONG and FOOTER not in LONG
        assert b"wombat" in archive.read(f"{folder}/data/0003/attachment-01.txt")
        assert "marked private" in archive.read(f"{folder}/data/statement.txt").decode()


def test_an_encrypted_pack_is_proved_once_its_recipient_has_opened_it(
    made: tuple[House, Granted, RoomClient, list[int]], tmp_path: Path
) -> None:
    house, granted, room, indexes = made
    key = pyrage.x25519.Identity.generate()
    result = room.pack(
        indexes[:1], "For the hearing", "The panel needs it", "The panel", str(key.to_public())
    )
    sealed = (granted.place.folder / result.path).read_bytes()
    assert result.path.endswith(".zip.age") and b"Marking" not in sealed
    clear = tmp_path / "pack.zip"
    clear.write_bytes(pyrage.decrypt(sealed, [key]))
    code, page = checked(house, clear, "--json")
    assert (code, json.loads(page)["manifest_sha256"]) == (0, result.manifest_sha256)
