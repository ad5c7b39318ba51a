from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Missing, MunimentError, Tampered
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from muniment.record.ledger.cosignature import Ed25519Cosigner, Mldsa44Cosigner, ed25519_message
from muniment.record.ledger.ed25519 import require_strong_key
from muniment.record.ledger.encoding import decode_base64, parse_decimal
from muniment.record.ledger.merkle import EMPTY_ROOT
from muniment.record.ledger.note import (
    Ed25519Signer,
    Note,
    Signature,
    open_note,
    parse_note,
    sign_note,
)
from muniment.record.ledger.vkey import parse_vkey

from .shared import ORIGIN, OWN, ROOT, log_signer, root_of

SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
    "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# From the tests of Go's sumdb/note.
GOOD_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
WITNESS_SEED = sha256(b"muniment test witness key").digest()
MLDSA44_KEY = (ROOT / "tests" / "vectors" / "mldsa44_test_vkey.txt").read_text().strip()
PRIME = 2**255 - 19
WEAK_KEYS = {
    "zero": bytes(32),
    "one": (1).to_bytes(32, "little"),
    "one, negative": (1 | 1 << 255).to_bytes(32, "little"),
    "minus one": (PRIME - 1).to_bytes(32, "little"),
    "of order 8": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "of order 8, negative": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    "of order 8, other": bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    "of order 8, other, negative": bytes.fromhex(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
    ),
    "p": PRIME.to_bytes(32, "little"),
    "p + 1": (PRIME + 1).to_bytes(32, "little"),
    "p + 18": (PRIME + 18).to_bytes(32, "little"),
    "p + 4, negative": (PRIME + 4 | 1 << 255).to_bytes(32, "little"),
    "short": bytes(31),
}


def checkpoint_300() -> bytes:
    return str(OWN["checkpoint_300"]).encode()


def test_the_specifications_example_opens() -> None:
    note, signed_by = open_note(SPEC_NOTE, [parse_vkey(SPEC_KEY)])
    assert note.text == "This is an example message.\n"
    assert signed_by == ["example.com/foo"]
    assert note.to_bytes() == SPEC_NOTE


def test_our_own_checkpoint_comes_out_as_published() -> None:
    signer = log_signer()
    witness = Ed25519Cosigner("witness.example/w1", WITNESS_SEED, lambda: 1767225600)
    assert str(signer.key) == OWN["log_vkey"]
    assert str(witness.key) == OWN["witness_vkey"]
    checkpoint = Checkpoint(ORIGIN, 300, root_of(300))
    assert checkpoint.sign(signer, witness) == checkpoint_300()
    assert ed25519_message(1767225600, checkpoint.text()).decode() == OWN["cosigned_message"]
    keys = [parse_vkey(OWN["log_vkey"]), parse_vkey(OWN["witness_vkey"])]
    assert open_checkpoint(checkpoint_300(), ORIGIN, keys) == checkpoint


def test_a_key_survives_its_one_line_form() -> None:
    for line in (SPEC_KEY, GOOD_KEY, OWN["log_vkey"], OWN["witness_vkey"]):
        assert str(parse_vkey(line)) == line


def test_every_piece_of_a_key_and_every_changed_byte_is_refused() -> None:
    pieces = [GOOD_KEY[:end] for end in range(len(GOOD_KEY))]
    pieces += [GOOD_KEY[start:] for start in range(1, len(GOOD_KEY))]
    pieces += [GOOD_KEY[:i] + chr(ord(GOOD_KEY[i]) + 1) + GOOD_KEY[i + 1 :] for i in range(len(GOOD_KEY))]
    for piece in pieces:
        with pytest.raises(BadInput):
            parse_vkey(piece)


@pytest.mark.parametrize("name", WEAK_KEYS)
def test_a_weak_or_misspelt_public_key_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        require_strong_key(WEAK_KEYS[name])


def test_a_weak_key_is_refused_in_a_line_with_the_right_id() -> None:
    for kind in (1, 4):
        raw = bytes([kind]) + WEAK_KEYS["one"]
        identity = sha256(b"log.example\n" + raw).hexdigest()[:8]
        with pytest.raises(BadInput, match="small order"):
            parse_vkey(f"log.example+{identity}+{b64encode(raw).decode()}")


def test_the_published_ml_dsa_key_carries_a_wrong_id_and_is_refused() -> None:
    with pytest.raises(BadInput, match="31236897"):
        parse_vkey(MLDSA44_KEY)
    key = parse_vkey(MLDSA44_KEY.replace("5893dc2c", "31236897"))
    assert key.key_id == bytes.fromhex("31236897")


def test_an_unknown_type_of_key_is_refused() -> None:
    raw = b"\x02" + bytes(32)
    identity = sha256(b"log.example\n" + raw).hexdigest()[:8]
    with pytest.raises(BadInput, match="unknown type 02"):
        parse_vkey(f"log.example+{identity}+{b64encode(raw).decode()}")


def test_an_ml_dsa_cosignature_holds_and_breaks_with_time_name_and_root() -> None:
    cosigner = Mldsa44Cosigner(ORIGIN, bytes(32), lambda: 1767225600)
    checkpoint = Checkpoint(ORIGIN, 300, root_of(300))
    note = checkpoint.sign(cosigner)
    key = parse_vkey(str(cosigner.key))
    assert open_checkpoint(note, ORIGIN, [key]) == checkpoint
    blob = parse_note(note).signatures[0].blob
    assert key.verify(checkpoint.text(), blob)
    assert not key.verify(checkpoint.text(), bytes(8) + blob[8:])
    assert not key.verify(Checkpoint(ORIGIN, 299, root_of(299)).text(), blob)
    assert not key.verify(checkpoint.text(), blob[:-1])
    assert not key.verify("no checkpoint\n", blob)


def test_a_cosignature_breaks_with_its_time() -> None:
    witness = Ed25519Cosigner("witness.example/w1", WITNESS_SEED, lambda: 1767225600)
    blob = witness.sign("text\n").blob
    assert witness.key.verify("text\n", blob)
    assert not witness.key.verify("text\n", bytes(8) + blob[8:])
    assert not witness.key.verify("text\n", b"\xff" * 8 + blob[8:])
    assert not witness.key.verify("text\n", blob[:-1])


def test_unknown_signatures_are_passed_over() -> None:
    signer = log_signer()
    stranger = Ed25519Signer("stranger.example", bytes(range(32)))
    namesake = Ed25519Signer(ORIGIN, bytes(range(32)))
    note = sign_note("text\n", stranger, namesake, signer)
    assert open_note(note.to_bytes(), [signer.key])[1] == [ORIGIN]
    with pytest.raises(Missing):
        open_note(sign_note("text\n", stranger, namesake).to_bytes(), [signer.key])
    with pytest.raises(Missing):
        open_note(note.to_bytes(), [])


def test_one_false_signature_by_a_known_key_condemns_the_note() -> None:
    signer, other = log_signer(), Ed25519Signer("other.example", bytes(range(32)))
    good = sign_note("text\n", signer, other)
    false = Signature("other.example", other.key.key_id, bytes(64))
    with pytest.raises(Tampered):
        open_note(Note(good.text, (good.signatures[0], false)).to_bytes(), [signer.key, other.key])


def test_sixteen_signatures_and_more_are_read() -> None:
    signers = [Ed25519Signer(f"signer.example/{number}", bytes([number]) * 32) for number in range(40)]
    note = sign_note("text\n", *signers)
    assert len(open_note(note.to_bytes(), [signer.key for signer in signers])[1]) == 40


def test_the_last_empty_line_parts_text_and_signatures() -> None:
    note = sign_note("one\n\ntwo\n\n\nthree\n", log_signer())
    assert parse_note(note.to_bytes()).text == "one\n\ntwo\n\n\nthree\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nno dash\n",
        SPEC_NOTE[:-1],
        SPEC_NOTE.replace(b"is an", b"is\tan"),
        SPEC_NOTE.replace(b"is an", b"is\ran"),
        SPEC_NOTE.replace(b"is an", b"is\xffan"),
        SPEC_NOTE.replace(b"example.com/foo", b"example.com+foo"),
        SPEC_NOTE.replace(b"example.com/foo", "example.com/\u2003foo".encode()),
        SPEC_NOTE.replace(b"example.com/foo", b""),
        SPEC_NOTE.replace(b"yaQM=", b"yaQN="),
        SPEC_NOTE.replace(b"yaQM=", b"yaQM"),
        SPEC_NOTE.replace(b" Uw2Q", b"  Uw2Q"),
        "text\n\n\u2014 name AAAAAA==\n".encode(),
        ("text\n\n" + "\u2014 name AAAAAAA=\n" * 101).encode(),
        b"x" * 1_000_001,
    ],
)
def test_a_malformed_note_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        open_note(data, [parse_vkey(SPEC_KEY)])


def test_a_text_that_no_note_can_hold_is_not_signed() -> None:
    for text in ("no newline", "tab\t\n", "return\r\n"):
        with pytest.raises(BadInput):
            sign_note(text, log_signer())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.example\n1\n",
        "log.example\n01\n" + b64encode(bytes(32)).decode() + "\n",
        "log.example\n+1\n" + b64encode(bytes(32)).decode() + "\n",
        "log.example\n-1\n" + b64encode(bytes(32)).decode() + "\n",
        "log.example\n\u0661\n" + b64encode(bytes(32)).decode() + "\n",
        "log.example\n9223372036854775808\n" + b64encode(bytes(32)).decode() + "\n",
        "log.example\n1\n" + b64encode(bytes(31)).decode() + "\n",
        "log.example\n1\n" + b64encode(bytes(32)).decode() + "\nextension\n",
        "log.example\n1\n" + b64encode(bytes(32)).decode() + "\n\n",
        "log.example\n1\n" + b64encode(bytes(32)).decode(),
        "log example\n1\n" + b64encode(bytes(32)).decode() + "\n",
        "\n1\n" + b64encode(bytes(32)).decode() + "\n",
        "log.example\n0\n" + b64encode(bytes(32)).decode() + "\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_checkpoint(text)


def test_the_checkpoint_of_the_empty_log_is_read() -> None:
    checkpoint = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert parse_checkpoint(checkpoint.text()) == checkpoint


def test_a_checkpoint_of_another_log_is_refused() -> None:
    keys = [parse_vkey(OWN["log_vkey"]), parse_vkey(OWN["witness_vkey"])]
    with pytest.raises(Missing, match="has not signed"):
        open_checkpoint(checkpoint_300(), "witness.example/other", keys)
    with pytest.raises(Missing):
        open_checkpoint(checkpoint_300(), ORIGIN, keys[1:])
    foreign = sign_note(Checkpoint("log.example/other", 1, bytes(32)).text(), log_signer())
    with pytest.raises(BadInput, match="expected muniment"):
        open_checkpoint(foreign.to_bytes(), ORIGIN, keys)


@given(st.binary(max_size=300))
def test_parsers_let_no_stray_error_out(data: bytes) -> None:
    for parse in (parse_note, lambda d: open_note(d, [log_signer().key])):
        try:
            parse(data)
        except MunimentError as refusal:
            assert str(refusal)
    text = data.decode("latin-1")
    for read in (parse_vkey, parse_checkpoint, decode_base64, parse_decimal):
        try:
            read(text)
        except BadInput as refusal:
            assert str(refusal)


@given(st.text(st.characters(exclude_categories=["C"]), max_size=200).map(lambda text: text + "\n"))
def test_a_signed_note_survives_the_wire(text: str) -> None:
    note = sign_note(text, log_signer())
    assert parse_note(note.to_bytes()) == note
    assert open_note(note.to_bytes(), [log_signer().key])[0] == note
