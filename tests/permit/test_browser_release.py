"""What an officer's browser makes of a request: byte for byte what Python makes; nothing of what was tampered with."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Browser, Page

from muniment.permit.release import open_release
from muniment.policy.purpose import PURPOSES
from muniment.record import permit_text
from muniment.record.keytree import Cover
from tests.permit.modules import blank_page, chromium, run
from tests.permit.vectors import FILE

VECTORS: dict[str, Any] = json.loads(FILE.read_text())
OFFICER = VECTORS["officer"]
SIGN = """
    const [request, approval, key] = [await use("approval_request"), await use("approval"), await use("officer_key")];
    try {
        const asked = await request.readApprovalRequest(given.request);
        const opened = await key.openKey(key.readKeyFile(given.file), given.words);
        const counts = [];
        const text = await approval.approve(asked, opened, given.now, (done, total) => counts.push([done, total]));
        return { text, release: await approval.releaseText(asked, opened), counts };
    } catch (error) {
        return { error: error.message };
    }
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with blank_page(browser) as found:
        yield found


def sign(page: Page, **changed: Any) -> Any:
    given = {
        "request": VECTORS["approval_request"],
        "file": OFFICER["key_file"],
        "words": OFFICER["words"],
        "now": VECTORS["decided_ms"],
    }
    return run(page, SIGN, given | changed)


def raw(text: str) -> bytes:
    return base64.b64decode(text)


def asked(**changed: Any) -> str:
    """Return the approval request of the vectors with members of the outer object changed."""
    return json.dumps(json.loads(VECTORS["approval_request"]) | changed)


def asked_with(change: dict[str, Any]) -> str:
    """Return it with members of the request itself changed, and written as requests are."""
    request = json.loads(json.loads(VECTORS["approval_request"])["request"]) | change
    return asked(request=json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def test_the_browser_signs_what_python_signs(page: Page) -> None:
    found = sign(page)
    signed = permit_text.parse_signed_approval(found["text"])
    assert found["release"] == VECTORS["release"]
    assert signed.approval == VECTORS["approval"]
    assert signed.signature == raw(VECTORS["signature"])
    assert found["counts"][-1] == [2, 2]
    permit_text.verify_signature(signed.approval, signed.signature, raw(OFFICER["signing_key"]))


def test_the_room_opens_what_the_browser_sealed_and_two_seals_differ(page: Page) -> None:
    request = permit_text.parse_request(json.loads(VECTORS["approval_request"])["request"])
    room = X25519PrivateKey.from_private_bytes(raw(VECTORS["room"]["private_key"]))
    first, second = (permit_text.parse_signed_approval(sign(page)["text"]) for _ in range(2))
    assert first.release != second.release
    covers = open_release(first.release, room, request, permit_text.parse_approval(first.approval))
    assert 1000 in covers[2, 7, "content"]
    assert 999 not in covers[2, 7, "content"]
    assert 5 not in covers[2, 7, "content"]


def test_hpke_is_that_of_the_vectors_both_ways(page: Page) -> None:
    script = """
        const hpke = await use("hpke"), { toBase64, fromBase64 } = await use("bytes");
        const bytes = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, fromBase64(text)]));
        const jwk = { kty: "OKP", crv: "X25519" };
        const url = (text) => text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
        const publicKey = await crypto.subtle.importKey("jwk", { ...jwk, x: url(given.enc) }, "X25519", true, []);
        const privateKey = await hpke.privateKey(bytes.ephemeral_private_key);
        const sealed = await hpke.seal(bytes.room_public, bytes.release, bytes.info, { publicKey, privateKey });
        const room = await hpke.privateKey(bytes.room_private);
        const opened = await hpke.open(room, bytes.room_public, sealed, bytes.info);
        return [toBase64(sealed), toBase64(opened)];
    """
    release = base64.b64encode(VECTORS["release"].encode()).decode()
    room = {"room_private": VECTORS["room"]["private_key"], "room_public": VECTORS["room"]["public_key"]}
    wanted = {name: VECTORS["hpke"][name] for name in ("info", "enc", "ephemeral_private_key")}
    sealed, opened = run(page, script, {**wanted, **room, "release": release})
    assert sealed == VECTORS["hpke"]["sealed_release"]
    assert opened == release


def test_the_browser_chooses_the_nodes_that_python_chooses(page: Page) -> None:
    script = """
        const { cover } = await use("keytree"), { fromBase64, toBase64 } = await use("bytes");
        const nodes = (set) => cover(fromBase64(given.root), set).map(([l, i, seed]) => [l, i, toBase64(seed)]);
        return given.sets.map(nodes);
    """
    draw, top, root = random.Random(1), 1 << 24, bytes(range(32))
    sets = [[0], [top - 1], list(range(1000)), [*range(3, 70), top - 2, top - 1]]
    sets += [
        sorted(draw.sample(range(1 << bits), 1 << min(bits, 6))) for bits in (7, 8, 9, 12, 16, 20, 24) * 4
    ]
    sets += [sorted({draw.randrange(64) for _ in range(40)}) for _ in range(40)]
    found = run(page, script, {"root": base64.b64encode(root).decode(), "sets": sets})
    for positions, nodes in zip(sets, found, strict=True):
        wanted = Cover.whole(root).restrict_to(positions).nodes
        assert {(level, index): raw(seed) for level, index, seed in nodes} == wanted
        starts = [index << (24 - level) for level, index, _ in nodes]
        assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "zoo zoo zoo zoo zoo zoo",
            "do not open the key of Morgan Example. Compare them with the sheet of key",
        ),
        ("abandon ability able", "six words, you typed 3"),
        ("", "six words, you typed 0"),
    ],
)
def test_wrong_words_open_nothing_and_are_not_repeated(page: Page, words: str, said: str) -> None:
    error = sign(page, words=words)["error"]
    assert said in error
    assert "zoo" not in error


def test_words_open_however_they_are_typed(page: Page) -> None:
    assert "text" in sign(page, words="  1. Abandon 2. ABILITY, able;about\nabove - absent ")


def test_another_officers_key_signs_as_that_officer_only(page: Page) -> None:
    """A key file whose id was rewritten does not open: the id is bound to the sealed key."""
    file = OFFICER["key_file"].replace("managing-director", "office-manager")
    assert "do not open" in sign(page, file=file)["error"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "muniment-officer-key/2"}, "not an officer’s key file"),
        ({"extra": 1}, "fields that do not belong"),
        ({"cipher": "none"}, "was altered"),
        ({"example": False}, "was altered"),
        ({"kdf": {"name": "PBKDF2-HMAC-SHA256", "iterations": 1, "salt": "AAAA"}}, "was altered"),
        ({"sealed": "AAAA"}, "expected 48"),
        ({"nonce": "!"}, "not written in base64"),
    ],
)
def test_a_key_file_that_was_altered_is_refused(page: Page, change: dict[str, Any], said: str) -> None:
    assert said in sign(page, file=json.dumps(json.loads(OFFICER["key_file"]) | change))["error"]


@pytest.mark.parametrize("file", ["", "{", "[]", "null", "x" * 20_000])
def test_what_is_no_key_file_is_called_that(page: Page, file: str) -> None:
    assert "not an officer’s key file" in sign(page, file=file)["error"]


def one_more(selection: bytes) -> str:
    return base64.b64encode(
        selection + (400).to_bytes(8) + selection[8:14] + (77).to_bytes(4) + b"\x03"
    ).decode()


SELECTION = raw(VECTORS["selection"])


@pytest.mark.parametrize(
    ("request_text", "said"),
    [
        (asked(selection=one_more(SELECTION)), "not those the request names"),
        (asked(selection=base64.b64encode(SELECTION[:-19]).decode()), "not those the request names"),
        (asked(selection="?"), "not written in base64"),
        (asked(format="muniment-approval-request/2"), "not a request to approve"),
        (asked(wraps=[]), "before this key was an officer’s"),
        (asked_with({"entries": 8}), "says 8 entries, but 9 would be opened"),
        (asked_with({"depth": "envelope"}), "but content would be opened"),
        (asked_with({"shielded": "2"}), "lacks something"),
        (asked_with({"more": 1}), "lacks something"),
        ("[]", "not a request to approve"),
        ("", "not a request to approve"),
    ],
)
def test_a_request_that_was_tampered_with_is_not_signed(page: Page, request_text: str, said: str) -> None:
    assert said in sign(page, request=request_text)["error"]


def test_a_request_that_two_readers_could_take_differently_is_not_signed(page: Page) -> None:
    """The officer's browser would show the last of two members, another reader might take the first."""
    text = json.loads(VECTORS["approval_request"])["request"]
    twice = text.replace('"reason":', '"reason":"Another reason","reason":', 1)
    assert "read in two ways" in sign(page, request=asked(request=twice))["error"]
    assert "read in two ways" in sign(page, request=asked(request=text.replace(":", ": ", 1)))["error"]


def test_a_share_that_was_moved_to_another_epoch_does_not_open(page: Page) -> None:
    wraps = json.loads(VECTORS["approval_request"])["wraps"]
    wraps[0]["wraps"], wraps[1]["wraps"] = wraps[1]["wraps"], wraps[0]["wraps"]
    assert "does not open with it" in sign(page, request=asked(wraps=wraps))["error"]


def test_an_exemption_is_signed_without_any_release(page: Page) -> None:
    empty = {
        "entries": 0,
        "shielded": 0,
        "windows": [],
        "streams": [],
        "selection_sha256": permit_text.digest(""),
    }
    exemption = {
        "kind": "exemption",
        "sites": ["news.example"],
        "room_key": base64.b64encode(bytes(32)).decode(),
    }
    outer = json.loads(asked_with(empty | exemption)) | {"selection": "", "wraps": []}
    signed = permit_text.parse_signed_approval(sign(page, request=json.dumps(outer))["text"])
    assert signed.release == b""
    assert permit_text.parse_approval(signed.approval).release_sha256 == ""


def test_every_purpose_of_the_policy_has_its_words_in_the_browser(page: Page) -> None:
    script = """
        const { sentence } = await use("request_words");
        return given.map((each) => sentence(each).flat().join(""));
    """
    text = json.loads(json.loads(VECTORS["approval_request"])["request"])
    found = run(page, script, [text | {"purpose": purpose.code} for purpose in PURPOSES])
    assert len(found) == len(set(found)) == len(PURPOSES)
    assert not [words for words in found if "for the purpose" in words]


def test_an_address_that_is_none_of_the_people_named_is_named_itself(page: Page) -> None:
    """A window slipped in beside the subjects cannot hide behind their names; nor can a text turn the writing round."""
    script = 'const { sentence, facts } = await use("request_words"); return [sentence(given), facts(given)];'
    text = json.loads(json.loads(VECTORS["approval_request"])["request"])
    window = {"address": "md@training.example", "start_ms": 0, "end_ms": None, "person": "somebody"}
    turned = {"windows": [*text["windows"], window], "alternative": "a\u202eb\nc"}
    words, rows = run(page, script, text | turned)
    assert "Tomás Tutor and md@training.example" in "".join(part for part, _ in words)
    assert dict(rows)["Tried first"] == "a?b / c"
    assert dict(rows)["Who asks"] == "Ida Byte, IT support"
    assert dict(rows)["Clause"] == "5.3 (R-5.3-i)"
    assert dict(rows)["Request"] == "2026-003, revision 2, of 1 November 2026 at 10.00 am"
