"""A home for tests of `muniment keys`: the example organisation with key files, six words, and a stopped recorder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.cli.main import main
from muniment.record import machine
from muniment.record.home import Home
from muniment.record.keyfile import write_key
from muniment.record.machine import to_words
from tests.organisation import OFFICERS, private_key_bytes
from tests.record.recording import SECRET, mail, make_home, recording

WORDS = "abandon-ability-able-about-above-absent"


def keys_home(tmp_path: Path, count: int = 3, **overrides: object) -> Home:
    """Make a home with some mail in it and, beside it, a key file and a file of six words for each officer."""
    home = make_home(tmp_path, **overrides)
    machine.example_file(home).write_bytes(machine.example_text(SECRET))
    with recording(home) as record:
        record.append([mail(n) for n in range(count)])
    for officer in OFFICERS:
        key = X25519PrivateKey.from_private_bytes(private_key_bytes(officer.id))
        (tmp_path / f"{officer.id}.json").write_bytes(
            write_key(officer.id, officer.name, key, WORDS, example=True)
        )
    (tmp_path / "words").write_text(WORDS)
    return home


def recovery_words() -> str:
    """Return what the sheet in the safe says."""
    return to_words(private_key_bytes("recovery"))


def run_json(capsys: Any, *arguments: object) -> tuple[int, dict[str, Any], str]:
    """Run a command with --json; return its code, its answer, and what it said on standard error."""
    capsys.readouterr()
    code = main([*map(str, arguments), "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out) if told.out else {}, told.err


def with_key(tmp_path: Path, owner: str) -> list[object]:
    """Return the options by which an officer's key is named."""
    return ["--key", tmp_path / f"{owner}.json", "--words-file", tmp_path / "words"]
