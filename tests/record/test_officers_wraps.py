"""A share opens with the key it was sealed to, in the place it was sealed for, and nowhere else."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Missing, MunimentError, Tampered
from muniment.record import wraps
from muniment.record.wraps import Recipient, Wrap

ORIGIN, CLASS, EPOCH = "training.example/record", 2, 7
ROOT = bytes(range(32))
KEYS = [X25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3)]
PEOPLE = [Recipient(f"officer-{n}", key.public_key().public_bytes_raw()) for n, key in enumerate(KEYS)]
SEALED = wraps.seal_share(ROOT, ORIGIN, CLASS, EPOCH, PEOPLE)

# u = 0, 1, two points of order 8, p - 1, then p and p + 1, which are 0 and 1 written in a second form
LOW_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
]


def test_every_recipient_opens_the_share_alone():
    for wrap, key in zip(SEALED, KEYS, strict=True):
        assert len(wrap.sealed) == 80
        assert wraps.open_share(wrap, key, ORIGIN, CLASS, EPOCH) == ROOT


@pytest.mark.parametrize(
    ("origin", "class_id", "epoch"),
    [("other.example/record", CLASS, EPOCH), (ORIGIN, 1, EPOCH), (ORIGIN, CLASS, 8)],
)
def test_a_share_moved_to_another_place_does_not_open(origin: str, class_id: int, epoch: int):
    with pytest.raises(Tampered, match="muniment verify"):
        wraps.open_share(SEALED[0], KEYS[0], origin, class_id, epoch)


def test_a_share_sealed_to_another_key_is_missing_here():
    with pytest.raises(Missing, match="not to"):
        wraps.open_share(SEALED[0], KEYS[1], ORIGIN, CLASS, EPOCH)


def test_a_share_relabelled_for_another_key_does_not_open():
    relabelled = msgspec.structs.replace(SEALED[0], key_id=PEOPLE[1].key_id)
    with pytest.raises(Tampered):
        wraps.open_share(relabelled, KEYS[1], ORIGIN, CLASS, EPOCH)


@given(st.integers(0, 80 * 8 - 1))
def test_a_flipped_bit_anywhere_is_found(bit: int):
    damaged = bytearray(SEALED[0].sealed)
    damaged[bit // 8] ^= 1 << bit % 8
    # The top bit of an X25519 point is not part of it; HPKE still binds it, because `enc` is in its context.
    with pytest.raises(Tampered):
        wraps.open_share(
            msgspec.structs.replace(SEALED[0], sealed=bytes(damaged)), KEYS[0], ORIGIN, CLASS, EPOCH
        )


@given(st.binary(max_size=100))
def test_any_bytes_open_or_are_tampered(sealed: bytes):
    with pytest.raises(Tampered):
        wraps.open_share(Wrap(1, PEOPLE[0].key_id, sealed), KEYS[0], ORIGIN, CLASS, EPOCH)


def test_an_unknown_suite_asks_for_a_newer_release():
    with pytest.raises(BadInput, match="suite 2"):
        wraps.open_share(msgspec.structs.replace(SEALED[0], suite=2), KEYS[0], ORIGIN, CLASS, EPOCH)


@pytest.mark.parametrize("point", LOW_ORDER)
@pytest.mark.parametrize("top_bit", [0, 0x80])
def test_a_key_that_seals_to_nobody_is_refused(point: str, top_bit: int):
    raw = bytearray.fromhex(point)
    raw[31] |= top_bit
    with pytest.raises(BadInput, match="would seal nothing"):
        Recipient("thief", bytes(raw))


def test_a_key_of_another_length_is_refused():
    with pytest.raises(BadInput, match="31 bytes"):
        Recipient("short", bytes(31))


def test_nothing_is_sealed_to_nobody():
    with pytest.raises(BadInput):
        wraps.seal_share(ROOT, ORIGIN, CLASS, EPOCH, [])
    with pytest.raises(BadInput):
        wraps.seal_share(ROOT[:31], ORIGIN, CLASS, EPOCH, PEOPLE)


def test_the_written_form_is_read_back_the_same():
    for wrap in SEALED:
        assert wraps.from_json(wraps.to_json(wrap)) == wrap


@pytest.mark.parametrize(
    "change",
    [
        {"to": "00"},
        {"to": "0G" * 8},
        {"to": "AB" * 8},
        {"sealed": "AAAA"},
        {"sealed": "?"},
        {"suite": "1"},
        {"more": 1},
    ],
)
def test_another_written_form_is_bad_input(change: dict[str, object]):
    with pytest.raises(BadInput):
        wraps.from_json(wraps.to_json(SEALED[0]) | change)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_reading_a_share_raises_bad_input_and_nothing_else(item: object):
    try:
        wraps.from_json(item)
    except MunimentError as error:
        assert isinstance(error, BadInput)


def test_the_binding_is_the_one_the_format_states():
    """docs/formats/shares.md, byte by byte, with the HPKE of RFC 9180 alone."""
    key_id = bytes.fromhex(wraps.to_json(SEALED[0])["to"])
    info = (
        b"muniment/1 officers' share"
        + b"\x01"
        + b"\x00\x17"
        + ORIGIN.encode()
        + b"\x00\x02"
        + b"\x00\x00\x00\x07"
    )
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    assert suite.decrypt(SEALED[0].sealed, KEYS[0], info=info + key_id) == ROOT
