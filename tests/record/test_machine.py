"""What is sealed under the machine secret opens with it alone; the secret is found where it may be, or asked for."""

from __future__ import annotations

from hmac import digest
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Missing, Tampered
from muniment.record import machine
from muniment.record.home import Home

SECRET = bytes(range(32))


def refuse_to_ask(question: str) -> str:
    raise AssertionError(f"asked: {question}")


def test_what_is_sealed_opens_with_the_same_secret_and_label():
    assert machine.open(SECRET, "log key", machine.seal(SECRET, "log key", b"seed")) == b"seed"


@pytest.mark.parametrize(("secret", "label"), [(bytes(32), "log key"), (SECRET, "wrapping key")])
def test_another_secret_or_label_opens_nothing(secret: bytes, label: str):
    with pytest.raises(Tampered, match="compare the words"):
        machine.open(secret, label, machine.seal(SECRET, "log key", b"seed"))


@given(st.integers(0, 61 * 8 - 1))
def test_a_flipped_bit_anywhere_is_found(bit: int):
    sealed = bytearray(machine.seal(SECRET, "log key", bytes(32)))
    assert len(sealed) == 61
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Tampered):
        machine.open(SECRET, "log key", bytes(sealed))


@given(st.binary(max_size=80))
def test_any_bytes_are_tampered(sealed: bytes):
    with pytest.raises(Tampered):
        machine.open(SECRET, "log key", sealed)


def test_the_same_data_is_never_sealed_twice_the_same():
    assert machine.seal(SECRET, "log key", b"seed") != machine.seal(SECRET, "log key", b"seed")


def test_the_format_document_is_enough_to_open_a_sealed_file():
    """docs/formats/officer-key.md, "The machine secret", with HMAC and AES-GCM alone."""
    sealed = machine.seal(SECRET, "log key", b"seed")
    extracted = digest(bytes(32), SECRET, "sha256")
    key = digest(extracted, b"muniment/1 machine log key\x01", "sha256")
    assert sealed[0] == 1
    assert AESGCM(key).decrypt(sealed[1:13], sealed[13:], b"\x01") == b"seed"


def test_a_new_secret_is_32_bytes_and_never_the_same():
    assert len({machine.new_secret() for _ in range(50)}) == 50
    assert len(machine.new_secret()) == 32


def test_the_file_of_the_environment_comes_first(tmp_path: Path):
    credential = tmp_path / "credential"
    credential.write_text(f"# from the safe\n{machine.to_words(SECRET)}\n")
    home = example_home(tmp_path, bytes(32))
    assert machine.find(home, {machine.VARIABLE: str(credential)}, refuse_to_ask) == SECRET


def test_an_example_home_holds_its_own_stamped(tmp_path: Path):
    home = example_home(tmp_path, SECRET)
    assert machine.find(home, {}, refuse_to_ask) == SECRET
    assert machine.example_file(home).read_text().startswith("# EXAMPLE")


def test_otherwise_a_person_is_asked(tmp_path: Path):
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return machine.to_words(SECRET).upper()

    assert machine.find(Home(tmp_path), {}, answer) == SECRET
    assert "24 words" in questions[0]


def test_nobody_to_ask_is_missing_and_says_what_to_do(tmp_path: Path):
    with pytest.raises(Missing, match="MUNIMENT_MACHINE_SECRET_FILE"):
        machine.find(Home(tmp_path), {}, None)


def test_a_named_file_that_is_not_there_is_missing_even_if_a_person_could_be_asked(tmp_path: Path):
    with pytest.raises(Missing, match="cannot be read"):
        machine.find(Home(tmp_path), {machine.VARIABLE: str(tmp_path / "none")}, refuse_to_ask)


@pytest.mark.parametrize("text", ["", "abandon", "é" * 100, "abandon " * 24, "zoo " * 2000])
def test_a_file_without_24_words_is_bad_input_that_names_the_file(tmp_path: Path, text: str):
    (tmp_path / "credential").write_text(text)
    with pytest.raises(BadInput, match="credential"):
        machine.find(Home(tmp_path), {machine.VARIABLE: str(tmp_path / "credential")}, None)


def example_home(path: Path, secret: bytes) -> Home:
    home = Home(path / "home")
    home.keeper.mkdir(parents=True)
    machine.example_file(home).write_bytes(machine.example_text(secret))
    return home
