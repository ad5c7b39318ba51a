"""An officer's key file opens with its six words, however they are typed, and with nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, MunimentError, Tampered
from muniment.record import keyfile, words
from muniment.record.wraps import key_id

KEY = X25519PrivateKey.from_private_bytes(bytes([7]) * 32)
WORDS = "abandon-zebra-cable-ocean-thing-zoo"
FILE = keyfile.write_key("office-manager", "Olive Example", KEY, WORDS, example=True)


def changed(**changes: Any) -> bytes:
    table = json.loads(FILE)
    for key, value in changes.items():
        if isinstance(value, dict):
            table[key] |= value
        else:
            table[key] = value
    return json.dumps(table).encode()


def test_the_six_words_open_the_key():
    file = keyfile.parse_key_file(FILE)
    assert keyfile.open_key(file, WORDS).private_bytes_raw() == KEY.private_bytes_raw()
    assert (file.id, file.name) == ("office-manager", "Olive Example")
    assert file.key_id == key_id(KEY.public_key().public_bytes_raw())


@pytest.mark.parametrize(
    "typed",
    [
        "ABANDON ZEBRA CABLE OCEAN THING ZOO",
        " abandon - zebra, cable\nocean thing\tZoo ",
        "1abandon2zebra3cable4ocean5thing6zoo",
    ],
)
def test_case_spaces_and_hyphens_do_not_matter(typed: str):
    assert (
        keyfile.open_key(keyfile.parse_key_file(FILE), typed).private_bytes_raw() == KEY.private_bytes_raw()
    )


def test_other_words_say_what_to_compare_and_show_nothing():
    other = "zoo-zebra-cable-ocean-thing-abandon"
    with pytest.raises(BadInput, match="compare them with the sheet") as caught:
        keyfile.open_key(keyfile.parse_key_file(FILE), other)
    assert not any(word in str(caught.value) for word in other.split("-"))


@pytest.mark.parametrize(
    ("typed", "told"), [("abandon zebra", "found 2"), ("a b c d e f", "words 1, 2, 3, 4, 5, 6")]
)
def test_words_that_cannot_be_right_are_told_at_once(typed: str, told: str):
    with pytest.raises(BadInput, match=told):
        keyfile.open_key(keyfile.parse_key_file(FILE), typed)


def test_an_unknown_word_is_counted_never_shown():
    with pytest.raises(BadInput, match="word 3 is not in the list") as caught:
        keyfile.open_key(keyfile.parse_key_file(FILE), "abandon zebra kable ocean thing zoo")
    assert "kable" not in str(caught.value)


def test_a_real_file_takes_a_million_rounds():
    file = keyfile.parse_key_file(keyfile.write_key("chair", "Chris Example", KEY, WORDS))
    assert not file.example
    assert file.kdf.iterations == 1_000_000
    assert keyfile.open_key(file, WORDS).private_bytes_raw() == KEY.private_bytes_raw()


@pytest.mark.parametrize(
    ("example", "rounds"), [(True, 9_999), (False, 599_999), (True, 10_000_001), (False, 2**40)]
)
def test_too_little_or_too_much_work_is_refused_before_it_is_done(example: bool, rounds: int):
    with pytest.raises(BadInput, match="rounds"):
        keyfile.parse_key_file(changed(example=example, kdf={"iterations": rounds}))


def test_a_real_file_with_an_examples_rounds_is_refused():
    with pytest.raises(BadInput, match="600000"):
        keyfile.parse_key_file(changed(example=False))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 5000,
        FILE[:-40],
        b" " * 20_000,
        changed(format="muniment-officer-key/2"),
        changed(cipher="AES-128-GCM"),
        changed(kdf={"name": "scrypt"}),
        changed(kdf={"salt": "AAAA"}),
        changed(nonce="AAAA"),
        changed(sealed="AAAA"),
        changed(signing_key="AAAA"),
        changed(surplus=1),
        changed(public_key=base64.b64encode(bytes(32)).decode()),
    ],
)
def test_what_is_no_key_file_is_bad_input(data: bytes):
    with pytest.raises(BadInput):
        keyfile.parse_key_file(data)


def test_a_newer_version_is_named():
    with pytest.raises(BadInput, match="muniment-officer-key/2"):
        keyfile.parse_key_file(changed(format="muniment-officer-key/2"))


@pytest.mark.parametrize(
    "change", [{"id": "managing-director"}, {"public_key": base64.b64encode(bytes([9] * 32)).decode()}]
)
def test_the_file_cannot_be_passed_off_as_another_officers(change: dict[str, str]):
    with pytest.raises(BadInput, match="do not open"):
        keyfile.open_key(keyfile.parse_key_file(changed(**change)), WORDS)


def test_a_file_whose_keys_do_not_belong_together_is_tampered():
    file = json.loads(FILE)
    other = X25519PrivateKey.generate().public_key().public_bytes_raw()
    file["public_key"] = base64.b64encode(other).decode()
    kdf = file["kdf"]
    derived = hashlib.pbkdf2_hmac("sha256", WORDS.encode(), base64.b64decode(kdf["salt"]), kdf["iterations"])
    associated = f"muniment-officer-key/1\noffice-manager\n{file['public_key']}\n".encode()
    sealed = AESGCM(derived).encrypt(base64.b64decode(file["nonce"]), KEY.private_bytes_raw(), associated)
    file["sealed"] = base64.b64encode(sealed).decode()
    with pytest.raises(Tampered, match="another key than it says"):
        keyfile.open_key(keyfile.parse_key_file(json.dumps(file).encode()), WORDS)


def test_a_file_whose_signing_key_is_anothers_is_tampered():
    other = keyfile.signing_public_of(X25519PrivateKey.from_private_bytes(bytes([8]) * 32))
    file = keyfile.parse_key_file(changed(signing_key=base64.b64encode(other).decode()))
    with pytest.raises(Tampered, match="another key than it says"):
        keyfile.open_key(file, WORDS)


def test_the_signing_key_is_the_one_the_format_states():
    """docs/formats/officer-key.md with HMAC alone, and the vector it prints."""
    extracted = hmac.digest(bytes(32), KEY.private_bytes_raw(), "sha256")
    seed = hmac.digest(extracted, b"muniment/1 officer signing key\x01", "sha256")
    signing = keyfile.signing_key_of(KEY)
    assert signing.private_bytes_raw() == seed
    assert keyfile.signing_public_of(KEY) == signing.public_key().public_bytes_raw()
    assert keyfile.parse_key_file(FILE).signing_key == keyfile.signing_public_of(KEY)
    page = (Path(__file__).parents[2] / "docs" / "formats" / "officer-key.md").read_text()
    assert f"`{seed.hex()}`" in page and f"`{keyfile.signing_public_of(KEY).hex()}`" in page


def test_the_format_document_is_enough_to_open_the_file():
    """docs/formats/officer-key.md with the standard's parts alone, as a browser does it."""
    file = json.loads(FILE)
    kdf = file["kdf"]
    derived = hashlib.pbkdf2_hmac("sha256", WORDS.encode(), base64.b64decode(kdf["salt"]), kdf["iterations"])
    associated = f"muniment-officer-key/1\n{file['id']}\n{file['public_key']}\n".encode()
    plain = AESGCM(derived).decrypt(
        base64.b64decode(file["nonce"]), base64.b64decode(file["sealed"]), associated
    )
    assert plain == KEY.private_bytes_raw()


@settings(deadline=None)
@given(
    st.binary(max_size=600) | st.integers(0, len(FILE) - 1).map(lambda at: FILE[:at] + b"!" + FILE[at + 1 :])
)
def test_reading_raises_bad_input_and_nothing_else(data: bytes):
    try:
        keyfile.parse_key_file(data)
    except MunimentError as error:
        assert isinstance(error, BadInput)


def test_passphrases_are_six_words_of_a_list_of_2048():
    drawn = {words.draw_passphrase() for _ in range(200)}
    assert len(drawn) == 200
    assert all(words.read_passphrase(passphrase) == passphrase for passphrase in drawn)
    used = {word for passphrase in drawn for word in passphrase.split("-")}
    assert len(used) > 700  # of 1,200 draws from 2,048 words some 909 differ
    assert math.log2(2048**6) == 66


def test_a_secret_survives_its_words():
    secret = bytes(range(32))
    typed = "\n".join(
        f"{at:2}. {word.upper()}" for at, word in enumerate(words.to_words(secret).split(), start=1)
    )
    assert words.from_words(typed) == secret


def test_two_swapped_words_of_a_secret_are_found():
    listed = words.to_words(bytes(range(32))).split()
    listed[3], listed[9] = listed[9], listed[3]
    with pytest.raises(BadInput, match="do not belong together") as caught:
        words.from_words(" ".join(listed))
    assert not any(word in str(caught.value).split() for word in listed)


def test_only_32_bytes_are_24_words():
    with pytest.raises(BadInput, match="16 bytes"):
        words.to_words(bytes(16))
