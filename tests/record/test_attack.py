"""Whoever has the whole disk, but no officer's key, reads nothing of yesterday. DESIGN: no permit, no plaintext."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.policy.errors import Missing, MunimentError
from muniment.record import leaf as leaves
from muniment.record import seal, wraps
from muniment.record.catalogue import Catalogue
from muniment.record.disk import Disk
from muniment.record.frame import parse_sections
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.keyfile import open_key, parse_key_file
from muniment.record.machine import VARIABLE, find
from muniment.record.reading import open_facts, open_line, read_frame
from muniment.record.unsealing import OfficerView
from tests.record.recording import Clock, contents, mail, make_home, recording

WORDS = "The grievance meeting is on Thursday, and nobody else may know of it yet."
CONTENT = f"From: tomas@training.example\r\nSubject: In confidence\r\n\r\n{WORDS}\r\n".encode()


@pytest.fixture(scope="module")
def stolen(tmp_path_factory) -> Home:
    """A home as `muniment init --example` makes it, with yesterday's message in it, as a thief finds it today.

    The sheets are the officers' and lie in their hands, not on the machine.
    """
    path = tmp_path_factory.mktemp("stolen") / "home"
    subprocess.run(
        [sys.executable, "-m", "muniment.cli", "init", str(path), "--example"],
        check=True,
        capture_output=True,
    )
    home = Home(path)
    for sheet in (path / "sheets").iterdir():
        sheet.unlink()
    clock = Clock()
    with recording_with(home, clock) as record:
        record.append([mail(1, content=CONTENT, sent=CONTENT + b"Example\r\n")])
    clock.advance(days=1)
    with recording_with(home, clock) as record:
        record.append([mail(2)])
    return home


def recording_with(home: Home, clock: Clock):
    from muniment.record.opening import open_record

    return open_record(home, find(home, {}, None), clock=clock)


def every_file(home: Home) -> list[bytes]:
    return [path.read_bytes() for path in home.path.rglob("*") if path.is_file()]


def test_no_file_holds_the_words(stolen):
    for data in every_file(stolen):
        assert b"grievance" not in data
        assert b"In confidence" not in data


def test_the_thief_has_the_ring_and_reads_what_is_kept_and_no_more(stolen):
    secret = find(stolen, {}, None)
    keeper, catalogue = Keeper.load(stolen, secret, Disk()), Catalogue(stolen.database)
    [row] = catalogue.rows("stream = 16 AND sequence = 1")
    frame = read_frame(stolen, row)
    assert open_line(frame.leaf, frame.body, keeper).size == len(CONTENT)
    sections = parse_sections(frame.body)
    keeper_seed = keeper.cover((row.retention, row.epoch)).seed(row.position)
    assert b"allow" in open_facts(frame, keeper)
    catalogue.close()
    for guess in candidate_keys(stolen, keeper_seed, sections.salt):
        for section, sealed in ((seal.META, sections.meta), (seal.CONTENT, sections.content)):
            with pytest.raises(InvalidTag):
                AESGCM(guess).decrypt(bytes(12), sealed, frame.leaf[: leaves.HEAD] + section)


def candidate_keys(home: Home, keeper_seed: bytes, salt: bytes) -> list[bytes]:
    """Everything on the disk, 32 bytes at a time, taken as the missing share; and the keeper's share alone."""
    shares = {bytes(32), keeper_seed, find(home, {}, None)}
    for data in every_file(home):
        if len(data) < 20_000:
            shares.update(data[at : at + 32] for at in range(0, max(0, len(data) - 31), 32))
    keys = []
    for share in shares:
        for section in (seal.META, seal.CONTENT):
            keys.append(seal.sealed_keys(share, seal.blade(keeper_seed, section), salt)[0])
    return keys


def test_the_officers_key_files_on_the_disk_open_nothing_without_their_words(stolen):
    files = list((stolen.path / "officer-keys").glob("*.json"))
    assert len(files) >= 3
    for path in files:
        for words in ("", "letmein", "abandon-ability-able-about-above-absent", path.stem):
            with pytest.raises(MunimentError):
                open_key(parse_key_file(path.read_bytes()), words)


def test_a_key_of_the_thief_s_own_is_not_among_the_officers(stolen):
    keeper, catalogue = Keeper.load(stolen, find(stolen, {}, None), Disk()), Catalogue(stolen.database)
    [row] = catalogue.rows("stream = 16 AND sequence = 1")
    view = OfficerView(stolen, "training.example/record", X25519PrivateKey.generate(), catalogue, keeper)
    with pytest.raises(Missing, match="never sealed to this key"):
        view.open(row.idx)
    catalogue.close()


def test_the_log_key_opens_no_share(stolen):
    keeper, catalogue = Keeper.load(stolen, find(stolen, {}, None), Disk()), Catalogue(stolen.database)
    [row] = catalogue.rows("stream = 16 AND sequence = 1")
    [opening] = catalogue.rows("retention = ? AND epoch = ? AND position = 0", (row.retention, row.epoch))
    stated = json.loads(parse_sections(read_frame(stolen, opening).body).plain)
    for private in (keeper.signing_seed, keeper.token_key, find(stolen, {}, None)):
        key = X25519PrivateKey.from_private_bytes(private)
        for item in stated["wraps"]:
            with pytest.raises(MunimentError):
                wraps.open_share(
                    wraps.from_json(item), key, "training.example/record", row.retention, row.epoch
                )
    catalogue.close()


def test_a_running_recorder_s_environment_and_files_hold_no_key_to_the_past(stolen):
    process = subprocess.Popen(
        [sys.executable, "-m", "muniment.serve.recorder", str(stolen.path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"ready")
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert find(stolen, {}, None).hex().encode() not in environment
        assert VARIABLE.encode() not in environment
        if os.geteuid() != 0:
            with pytest.raises(PermissionError):
                Path(f"/proc/{process.pid}/mem").open("rb").close()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_the_same_home_with_an_officer_s_key_opens(tmp_path):
    """The attack fails for want of the key alone: with it the same steps read the message."""
    home = make_home(tmp_path)
    with recording(home) as record:
        [receipt] = record.append([mail(1, content=CONTENT)])
    assert contents(home)[receipt.index] == CONTENT
