"""The documents of a permit are read strictly: one form, no surplus, nothing raised but BadInput."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Refused
from muniment.record import permit_text as texts
from muniment.record.keytree import Cover
from tests.record.permits import approval, request

REQUEST = texts.encode(request())
APPROVAL = texts.encode(approval(request()))
NODE = texts.ReleasedNode(24, 5, bytes([7] * 32))
RELEASE = texts.Release(
    number="2026-003",
    revision=1,
    covers=(
        texts.ReleasedCover(2, 1, "meta", (NODE,)),
        texts.ReleasedCover(2, 1, "content", (NODE, texts.ReleasedNode(23, 5, bytes(32)))),
    ),
)
SIGNED = texts.encode(texts.SignedApproval(approval=APPROVAL, signature=bytes(64), release=b"sealed"))
BUNDLE = texts.encode(texts.ApprovalRequest(request=REQUEST, selection=b"", wraps=()))
PARSERS = {
    "request": (texts.parse_request, REQUEST),
    "approval": (texts.parse_approval, APPROVAL),
    "release": (texts.parse_release, texts.encode(RELEASE)),
    "signed": (texts.parse_signed_approval, SIGNED),
    "bundle": (texts.parse_approval_request, BUNDLE),
}
EVERY = pytest.mark.parametrize(("parse", "text"), PARSERS.values(), ids=PARSERS)


def changed(text: str, **changes: Any) -> str:
    table = json.loads(text)
    for path, value in changes.items():
        *steps, last = path.split("__")
        place = table
        for step in steps:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value
    return json.dumps(table)


@EVERY
def test_what_is_written_is_read_back_the_same(parse: Any, text: str):
    assert texts.encode(parse(text)) == text
    assert parse(text.encode()) == parse(text)


@EVERY
def test_members_stand_in_alphabetical_order_without_spaces(parse: Any, text: str):
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@EVERY
def test_a_surplus_member_is_refused(parse: Any, text: str):
    with pytest.raises(BadInput):
        parse(changed(text, surplus=1))


@EVERY
def test_a_missing_member_is_refused(parse: Any, text: str):
    table = json.loads(text)
    for member in table.keys() - {"format"}:
        with pytest.raises(BadInput):
            parse(json.dumps({key: value for key, value in table.items() if key != member}))


@EVERY
def test_another_format_is_refused(parse: Any, text: str):
    with pytest.raises(BadInput):
        parse(changed(text, format="muniment-permit/2"))


@pytest.mark.parametrize("parse", [parse for parse, _ in PARSERS.values()], ids=PARSERS)
@given(st.binary(max_size=300) | st.text(max_size=300) | st.sampled_from([t for _, t in PARSERS.values()]))
def test_any_bytes_are_a_document_or_bad_input(parse: Any, data: bytes | str):
    with contextlib.suppress(BadInput):
        parse(data)


@given(st.integers(0, len(REQUEST) - 1), st.characters(codec="utf-8"))
def test_a_changed_letter_gives_another_hash_or_bad_input(at: int, letter: str):
    other = REQUEST[:at] + letter + REQUEST[at + 1 :]
    if other != REQUEST:
        assert texts.digest(other) != texts.digest(REQUEST)
    with contextlib.suppress(BadInput):
        texts.parse_request(other)


@pytest.mark.parametrize(
    "change",
    [
        {"number": "../../etc"},
        {"number": "2026-003\n"},
        {"revision": 0},
        {"kind": "anything"},
        {"depth": "all"},
        {"days": 32},
        {"days": 0},
        {"entries": -1},
        {"from_ms": 2**60},
        {"from_ms": 1_794_000_000_001},
        {"streams": ["mail-gateway", "everything"]},
        {"selection_sha256": "A" * 64},
        {"room_key": "AAAA"},
        {"checkpoint__root": "AAAA"},
        {"windows__0__surplus": 1},
        {"requester__addresses": ["x"] * 101},
        {"reason": "x" * 9000},
        {"kind": "exemption"},
        {"sites": ["news.example"]},
    ],
)
def test_a_request_that_cannot_be_is_bad_input(change: dict[str, Any]):
    with pytest.raises(BadInput):
        texts.parse_request(changed(REQUEST, **change))


def test_an_exemption_has_sites_and_no_room():
    exemption = request(
        kind="exemption", sites=("news.example",), room_key=texts.NO_ROOM_KEY, windows=(), entries=0
    )
    assert texts.parse_request(texts.encode(exemption)) == exemption
    with pytest.raises(BadInput, match="host name"):
        texts.parse_request(changed(texts.encode(exemption), sites=["https://news.example/"]))


def test_a_document_beyond_its_limit_is_not_even_read():
    with pytest.raises(BadInput, match="at most"):
        texts.parse_request(REQUEST + " " * texts.MAX_REQUEST_BYTES)
    with pytest.raises(BadInput, match="at most"):
        texts.parse_approval(APPROVAL + " " * texts.MAX_APPROVAL_BYTES)


@pytest.mark.parametrize(
    "covers",
    [
        RELEASE.covers[::-1],
        RELEASE.covers[:1] * 2,
        (texts.ReleasedCover(2, 1, "meta", (texts.ReleasedNode(3, 8, bytes(32)),)),),
        (texts.ReleasedCover(2, 1, "meta", (texts.ReleasedNode(1, 0, bytes(32)), NODE)),),
        (texts.ReleasedCover(2, 1, "meta", (NODE, NODE)),),
    ],
)
def test_a_release_that_names_a_key_twice_or_out_of_place_is_bad_input(covers: Any):
    text = texts.encode(texts.Release(number="2026-003", revision=1, covers=covers))
    with pytest.raises(BadInput, match="ask the officer again"):
        texts.parse_release(text)


def test_the_released_keys_are_covers_of_the_key_tree():
    whole = Cover.whole(bytes(range(32)))
    part = whole.restrict_to([4, 5, 6, 900])
    nodes = tuple(texts.ReleasedNode(*node, seed) for node, seed in sorted(part.nodes.items(), key=_start))
    release = texts.Release(number="2026-003", revision=1, covers=(texts.ReleasedCover(2, 7, "meta", nodes),))
    [(place, cover)] = texts.covers_of(texts.parse_release(texts.encode(release))).items()
    assert place == (2, 7, "meta")
    assert [cover.seed(at) for at in (4, 5, 6, 900)] == [whole.seed(at) for at in (4, 5, 6, 900)]
    assert 7 not in cover


def _start(item: tuple[tuple[int, int], bytes]) -> int:
    (level, index), _ = item
    return index << (24 - level)


def test_the_binding_of_a_release_is_the_one_the_format_states():
    assert texts.release_info("a/record", "2026-003", 2) == (
        b"muniment/1 release\x01\x00\x08a/record\x00\x082026-003\x00\x00\x00\x02"
    )


def test_a_signature_fits_its_text_and_its_key_and_no_other():
    key, other = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
    signature = texts.sign_approval(APPROVAL, key)
    texts.verify_signature(APPROVAL, signature, key.public_key().public_bytes_raw())
    key.public_key().verify(signature, b"muniment/1 approval\n" + APPROVAL.encode())
    for text, public in ((APPROVAL, other), (APPROVAL.replace('"revision":1', '"revision":2'), key)):
        with pytest.raises(Refused, match=r"R-5\.2-f"):
            texts.verify_signature(text, signature, public.public_key().public_bytes_raw())
