"""`muniment retention` against a running recorder: holds, a signed erasure, its certificate. R-5.1-a."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.cli.main import main
from muniment.record.client import Recorder
from muniment.record.keyfile import write_key
from muniment.record.words import draw_passphrase
from tests.organisation import private_key_bytes
from tests.record.recording import mail
from tests.serve.house import house

WORDS = draw_passphrase()


def write_officer_key(folder: Path, officer: str) -> tuple[Path, Path]:
    key, words = folder / f"{officer}.json", folder / "words"
    private = X25519PrivateKey.from_private_bytes(private_key_bytes(officer))
    key.write_bytes(write_key(officer, officer, private, WORDS, example=True))
    words.write_text(WORDS)
    return key, words


def test_a_message_is_erased_over_the_socket_by_an_officers_signature(tmp_path, capsys):
    with house(tmp_path, "recorder") as found:
        at = ["--home", str(found.home.path), "--json"]

        def run(*words: str) -> dict:
            assert main(["retention", *words]) == 0
            return json.loads(capsys.readouterr().out)

        with Recorder(found.home.socket) as recorder:
            first, second = recorder.append([mail(1), mail(2)])
        assert run("clock-is-right", "--as", "olive", *at)["clock_ms"] > 0
        asked = ["--as", "olive", "--case", "claim 7", "--reason", "a claim", "--litigation"]
        number = run("hold", *asked, "--entry", str(second.index), *at)["number"]
        assert [hold["number"] for hold in run("holds", *at)["holds"]] == [number]
        prepared = tmp_path / "order"
        signer = ["--officer", "office-manager", "--output", str(prepared)]
        run("erase", "--entry", str(first.index), "--authority", "a court", *signer, *at)
        key, words = write_officer_key(tmp_path, "office-manager")
        signed = run("sign", str(prepared), "--key", str(key), "--words-file", str(words), "--json")["output"]
        run("hand-in", signed, *at)
        [certificate] = run("certificate", *at)["certificates"]
        page = run("certificate", str(certificate), *at)
        assert page["groups"][0]["entries"] == 1
        assert page["not_covered"]
        assert run("next", *at)["lines"] == []
        capsys.readouterr()
        assert main(["retention", "hand-in", signed, *at]) == 5
        assert "taken already" in capsys.readouterr().err
