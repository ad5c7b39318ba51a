"""The verifier's own arithmetic and the cryptography library give the same answer to every signature here.

Beside RFC 8032's vectors stand edge cases in the manner of the CCTV and "Taming the many EdDSAs" collections: keys
and Rs of small or mixed order, forbidden spellings, S not reduced. They are made here, from the curve's own points.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

import muniment_verify as verifier
from muniment.policy.errors import BadInput
from muniment.record.ledger.ed25519 import require_strong_key
from muniment_verify import BASE, L, P, Point, add, compress, decompress, multiply

RFC_8032 = {
    "test 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
        "595bbe24655141438e7a100b",
    ),
    "test 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae"
        "b4302aeeb00d291612bb0c00",
    ),
    "test 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9"
        "716ed28dc027beceea1ec40a",
    ),
    "test SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c"
        "138ac17ad9bef1177331a704",
    ),
}
IDENTITY = Point(0, 1, 1, 0)
ORDER_8 = decompress(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
assert ORDER_8 is not None
SMALL = [multiply(factor, ORDER_8) for factor in range(8)]
SECRET = int.from_bytes(hashlib.sha512(b"an edge case").digest(), "little") % L


def both(public: bytes, message: bytes, signature: bytes) -> set[bool]:
    """The answers of the library, to a key it may use, and of the file's own arithmetic; one when they agree."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        library = verifier.is_sound_key(public)
    except (InvalidSignature, ValueError):
        library = False
    return {library, verifier.verify_signature(public, message, signature)}


def challenge(r: bytes, public: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L


def sign(r: bytes, nonce: int, public: bytes, message: bytes) -> bytes:
    s = (nonce + challenge(r, public, message) * SECRET) % L
    return r + s.to_bytes(32, "little")


def negative(encoded: bytes) -> bytes:
    return encoded[:31] + bytes([encoded[31] ^ 0x80])


def forbidden_spellings() -> Iterator[bytes]:
    """Every encoding of a y from p on, and the two of x = 0 with a sign."""
    for above in range(19):
        encoded = (P + above).to_bytes(32, "little")
        yield encoded
        yield negative(encoded)
    yield negative((1).to_bytes(32, "little"))
    yield negative((P - 1).to_bytes(32, "little"))


@pytest.mark.parametrize("name", RFC_8032)
def test_the_vectors_of_rfc_8032_hold(name: str) -> None:
    public, message, signature = (bytes.fromhex(text) for text in RFC_8032[name])
    assert both(public, message, signature) == {True}
    assert both(public, message + b"x", signature) == {False}


def test_the_small_points_are_all_eight() -> None:
    assert len({compress(point) for point in SMALL}) == 8
    assert compress(multiply(8, ORDER_8)) == compress(IDENTITY)
    assert compress(multiply(L, BASE)) == compress(IDENTITY)


def test_a_key_of_small_order_is_refused_whatever_the_signature() -> None:
    for key in SMALL:
        for r in SMALL:
            for message in (b"", b"one", b"two"):
                assert both(compress(key), message, compress(r) + bytes(32)) == {False}


def test_a_forbidden_spelling_of_a_key_is_refused() -> None:
    for public in forbidden_spellings():
        assert not verifier.is_sound_key(public)
        for r in (compress(IDENTITY), public):
            assert both(public, b"text", r + bytes(32)) == {False}
        with pytest.raises(BadInput):
            require_strong_key(public)


def test_the_ledger_refuses_the_same_points_of_small_order() -> None:
    for point in SMALL:
        for public in (compress(point), negative(compress(point))):
            assert not verifier.is_sound_key(public)
            with pytest.raises(BadInput):
                require_strong_key(public)


def test_bytes_that_are_no_point_are_refused() -> None:
    no_points = [number.to_bytes(32, "little") for number in range(2, 40)]
    no_points = [public for public in no_points if decompress(public) is None]
    assert len(no_points) > 10
    for public in no_points:
        assert both(public, b"text", bytes(64)) == {False}


def test_a_key_of_mixed_order_is_judged_without_the_cofactor() -> None:
    """[S]B = R + [k]A must hold as it stands; multiplied by eight it would hold for all of these."""
    answers = []
    for torsion in SMALL[1:]:
        public = compress(add(multiply(SECRET, BASE), torsion))
        assert verifier.is_sound_key(public)
        for nonce in range(1, 9):
            r = compress(multiply(nonce, BASE))
            message = b"mixed %d" % nonce
            fits = compress(multiply(challenge(r, public, message), torsion)) == compress(IDENTITY)
            assert both(public, message, sign(r, nonce, public, message)) == {fits}
            answers.append(fits)
    assert {True, False} == set(answers)


def test_an_r_of_mixed_order_is_refused() -> None:
    public = compress(multiply(SECRET, BASE))
    for torsion in SMALL[1:]:
        r = compress(add(multiply(5, BASE), torsion))
        assert both(public, b"text", sign(r, 5, public, b"text")) == {False}


def test_an_r_of_small_order_fits_in_its_one_spelling_only() -> None:
    public = compress(multiply(SECRET, BASE))
    assert both(public, b"text", sign(compress(IDENTITY), 0, public, b"text")) == {True}
    for r in forbidden_spellings():
        assert both(public, b"text", sign(r, 0, public, b"text")) == {False}
    for point in SMALL[1:]:
        assert both(public, b"text", sign(compress(point), 0, public, b"text")) == {False}


def test_an_s_that_is_not_reduced_is_refused() -> None:
    public = compress(multiply(SECRET, BASE))
    r = compress(multiply(5, BASE))
    good = sign(r, 5, public, b"text")
    assert both(public, b"text", good) == {True}
    s = int.from_bytes(good[32:], "little")
    for bigger in range(s + L, 2**256, L):
        assert both(public, b"text", r + bigger.to_bytes(32, "little")) == {False}
    for edge in (0, L - 1, L, L + 1, 2**253, 2**255 - 1, 2**256 - 1):
        assert both(public, b"text", r + edge.to_bytes(32, "little")) == {False}


def test_lengths_other_than_32_and_64_are_refused() -> None:
    public = compress(multiply(SECRET, BASE))
    good = sign(compress(multiply(5, BASE)), 5, public, b"text")
    for signature in (b"", good[:-1], good + b"\0"):
        assert both(public, b"text", signature) == {False}
    for key in (b"", public[:-1], public + b"\0"):
        assert both(key, b"text", good) == {False}


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(min_value=0, max_value=511))
def test_a_true_signature_fits_and_one_flipped_bit_breaks_it(seed: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert both(public, message, signature) == {True}
    bad = bytearray(signature)
    bad[bit // 8] ^= 1 << bit % 8
    assert both(public, message, bytes(bad)) == {False}


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=10), st.binary(min_size=64, max_size=64))
def test_both_ways_agree_on_noise(public: bytes, message: bytes, signature: bytes) -> None:
    assert len(both(public, message, signature)) == 1
