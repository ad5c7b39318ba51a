"""An officer releases the keys of exactly what was selected, to one room, for one text."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muniment.permit.release import Bundle, open_release, read_bundle, sign
from muniment.policy.errors import BadInput, Conflict, Missing, MunimentError, Refused, Tampered
from muniment.record import keyfile, permit_text
from muniment.record.epoch import split_officers_root
from muniment.record.keytree import Cover, Punctured
from muniment.record.permit_selection import CONTENT, META, pack_selection
from tests.organisation import private_key_bytes
from tests.permit import vectors


def key(owner: str = vectors.OFFICER) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(private_key_bytes(owner))


def bundle() -> Bundle:
    return read_bundle(vectors.bundle())


def signed(officer: str = vectors.OFFICER) -> permit_text.SignedApproval:
    return permit_text.parse_signed_approval(sign(bundle(), officer, key(officer), vectors.DECIDED_MS))


def changed(**changes: object) -> bytes:
    """Return the bundle with other members in its request, as somebody between display and signature would."""
    asked = permit_text.parse_approval_request(vectors.bundle())
    request = msgspec.structs.replace(permit_text.parse_request(asked.request), **changes)
    return permit_text.encode(msgspec.structs.replace(asked, request=permit_text.encode(request))).encode()


def test_the_vectors_are_what_the_code_makes() -> None:
    assert vectors.FILE.read_text() == vectors.written()


def test_an_officers_approval_is_the_one_of_the_vectors() -> None:
    stored = json.loads(vectors.FILE.read_text())
    found = signed()
    assert found.approval == stored["approval"]
    assert base64.b64encode(found.signature).decode() == stored["signature"]
    public = base64.b64decode(stored["officer"]["signing_key"])
    permit_text.verify_signature(found.approval, found.signature, public)


def test_the_key_file_of_the_vectors_opens_with_its_words() -> None:
    stored = json.loads(vectors.FILE.read_text())["officer"]
    file = keyfile.parse_key_file(stored["key_file"].encode())
    opened = keyfile.open_key(file, stored["words"])
    assert base64.b64encode(opened.private_bytes_raw()).decode() == stored["private_key"]


def test_the_room_gets_the_keys_of_exactly_what_was_selected() -> None:
    found = signed()
    covers = open_release(
        found.release, vectors.room_key(), bundle().request, permit_text.parse_approval(found.approval)
    )
    for epoch in ((2, 7), (2, 9)):
        roots = split_officers_root(vectors.fixed(f"epoch {epoch[0]} {epoch[1]}"))
        for section, bit, root in zip(("meta", "content"), (META, CONTENT), roots, strict=True):
            whole = Cover.whole(root)
            wanted = {i.position for i in vectors.ITEMS if i[1:3] == epoch and i.sections & bit}
            cover = covers[(*epoch, section)]
            assert all(cover.seed(position) == whole.seed(position) for position in wanted)
            assert sum(1 << (24 - level) for level, _ in cover.nodes) == len(wanted)
            for beside in (4, 6, 9, 999, 1001, 4094, 4097, (1 << 24) - 2):
                with pytest.raises(Punctured):
                    cover.seed(beside)


def test_a_room_of_another_key_gets_nothing() -> None:
    found = signed()
    with pytest.raises(Conflict, match="not the key of the room"):
        open_release(
            found.release,
            X25519PrivateKey.generate(),
            bundle().request,
            permit_text.parse_approval(found.approval),
        )


def test_a_release_the_officer_did_not_sign_is_not_taken() -> None:
    """Whoever has the machine may seal a release of their own making to the room's public key."""
    found, request = signed(), bundle().request
    approval = permit_text.parse_approval(found.approval)
    forged = bytearray(found.release)
    forged[-1] ^= 1
    with pytest.raises(Tampered, match="does not open"):
        open_release(bytes(forged), vectors.room_key(), request, approval)
    from muniment.permit.release import seal_release

    other = permit_text.encode(permit_text.Release(number=request.number, revision=2, covers=()))
    with pytest.raises(Tampered, match="not the one that the officer signed"):
        open_release(seal_release(other, request), vectors.room_key(), request, approval)


def test_a_release_for_another_revision_does_not_open() -> None:
    found = signed()
    request = msgspec.structs.replace(bundle().request, revision=3)
    approval = msgspec.structs.replace(permit_text.parse_approval(found.approval), revision=3)
    with pytest.raises(Tampered):
        open_release(found.release, vectors.room_key(), request, approval)
    with pytest.raises(Conflict):
        open_release(found.release, vectors.room_key(), request, permit_text.parse_approval(found.approval))


def test_entries_swapped_between_request_and_selection_are_not_approved() -> None:
    asked = permit_text.parse_approval_request(vectors.bundle())
    wider = pack_selection([*vectors.ITEMS, vectors.ITEMS[-1]._replace(idx=303, position=5000)])
    data = permit_text.encode(msgspec.structs.replace(asked, selection=wider)).encode()
    with pytest.raises(Tampered, match="not those it names"):
        read_bundle(data)


def test_a_request_that_tells_the_officer_fewer_than_it_opens_is_not_approved() -> None:
    with pytest.raises(Tampered, match="says 3 entries"):
        read_bundle(changed(entries=3))


def test_a_request_for_envelopes_with_content_beside_it_is_not_approved() -> None:
    with pytest.raises(Tampered, match="envelope only"):
        read_bundle(changed(depth="envelope"))


@pytest.mark.parametrize(
    "change",
    [{"reason": "Something harmless"}, {"days": 31}, {"entries": len(vectors.ITEMS) - 1, "shielded": 0}],
)
def test_what_is_changed_between_display_and_signature_has_another_hash(change: dict[str, object]) -> None:
    other = read_bundle(changed(**change))
    approval = permit_text.parse_approval(
        permit_text.parse_signed_approval(sign(other, vectors.OFFICER, key(), vectors.DECIDED_MS)).approval
    )
    assert approval.request_sha256 != permit_text.digest(bundle().text)


def test_a_signature_fits_its_own_officer_and_text_only() -> None:
    found = signed()
    other = keyfile.signing_key_of(key("office-manager")).public_key().public_bytes_raw()
    with pytest.raises(Refused):
        permit_text.verify_signature(found.approval, found.signature, other)
    own = keyfile.signing_key_of(key()).public_key().public_bytes_raw()
    with pytest.raises(Refused):
        permit_text.verify_signature(
            found.approval.replace('"revision":2', '"revision":3'), found.signature, own
        )


def test_a_key_the_shares_are_not_sealed_to_approves_nothing() -> None:
    with pytest.raises(Missing, match="not sealed to your key"):
        sign(bundle(), "chair", key("chair"), vectors.DECIDED_MS)


def test_a_share_of_another_epoch_in_its_place_does_not_open() -> None:
    asked = permit_text.parse_approval_request(vectors.bundle())
    first, second = asked.wraps
    swapped = (
        msgspec.structs.replace(first, wraps=second.wraps),
        msgspec.structs.replace(second, wraps=first.wraps),
    )
    data = permit_text.encode(msgspec.structs.replace(asked, wraps=swapped)).encode()
    with pytest.raises(Tampered):
        sign(read_bundle(data), vectors.OFFICER, key(), vectors.DECIDED_MS)


@pytest.mark.parametrize("weak", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_a_room_key_that_seals_nothing_is_refused(weak: bytes) -> None:
    data = changed(room_key=weak) if weak != bytes(32) else None
    with pytest.raises(BadInput):
        if data is None:
            read_bundle(changed(room_key=weak))
        else:
            sign(read_bundle(data), vectors.OFFICER, key(), vectors.DECIDED_MS)


def test_an_exemption_releases_no_key() -> None:
    request = msgspec.structs.replace(
        vectors.request(),
        kind="exemption",
        sites=("closed.example",),
        windows=(),
        room_key=permit_text.NO_ROOM_KEY,
        entries=0,
        selection_sha256=vectors.digest_of(b""),
    )
    asked = permit_text.ApprovalRequest(request=permit_text.encode(request), selection=b"", wraps=())
    made = sign(read_bundle(permit_text.encode(asked).encode()), vectors.OFFICER, key(), vectors.DECIDED_MS)
    document = permit_text.parse_signed_approval(made)
    assert document.release == b""
    assert permit_text.parse_approval(document.approval).release_sha256 == ""


@given(st.binary(max_size=400))
def test_hostile_bytes_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        read_bundle(data)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.integers(0, 4000), st.binary(min_size=1, max_size=3))
def test_a_spoilt_bundle_raises_only_errors_of_ours(at: int, junk: bytes) -> None:
    data = vectors.bundle()
    at %= len(data)
    spoilt = data[:at] + junk + data[at + len(junk) :]
    with suppress(MunimentError):
        sign(read_bundle(spoilt), vectors.OFFICER, key(), vectors.DECIDED_MS)
