"""The envelope is read from either stream's metadata, whatever is in it; a subject says whether it is a reply."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.reading.envelope import Envelope, envelope_of
from muniment.answer.reading.thread import base_subject


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Re: Fwd: x", ("x", True)),
        ("x", ("x", False)),
        ("[list] x", ("x", False)),
        ("[list]", ("[list]", False)),
        ("RE", ("re", False)),
    ],
)
def test_the_base_of_a_subject(subject: str, base: tuple[str, bool]) -> None:
    assert base_subject(subject) == base


GATEWAY = {
    "format": 1, "door": "outside", "mail_from": "a@b.example", "rcpt_to": ["c@d.example"],
    "refused": [["e@f.example", "no"]],
    "client": ["127.0.0.1", 25], "helo": "x", "tls": True, "user": "", "hop": "h",
    "headers": {"subject": b"=?utf-8?q?caf=C3=A9?=\r\n x", "from": b"Ann <a@b.example>",
                "date": b"Mon, 2 Nov 2026 10:00:00 +0100", "message-id": b"<1@x>", "references": b"<0@x>"},
}  # fmt: skip
IMPORT = {
    "origin": {"taken_as": "maildir", "path": b"ann/\xff/cur/1", "modified_ns": 1},
    "header": {"subject": "café x".encode(), "from": b"Ann <a@b.example>", "message-id": b"<1@x>",
               "date": b"Mon, 2 Nov 2026 10:00:00 +0100"},
}  # fmt: skip


def test_the_envelope_of_either_stream_is_read() -> None:
    gateway, imported = (envelope_of(msgspec.msgpack.encode(each)) for each in (GATEWAY, IMPORT))
    for found in (gateway, imported):
        assert (found.subject, found.from_, found.message_id) == ("café x", "Ann <a@b.example>", "<1@x>")
        assert found.sent_ms == 1_793_610_000_000
    assert (gateway.mail_from, gateway.rcpt_to, gateway.refused, gateway.door) == (
        "a@b.example", ("c@d.example",), ("e@f.example",), "outside",
    )  # fmt: skip
    assert gateway.client == "127.0.0.1:25" and gateway.references == "<0@x>"
    assert imported.path.startswith("ann/")


@pytest.mark.parametrize(
    "date",
    ["", "yesterday", "Mon, 99 Nov 2026 10:00:00 +0000", "Mon, 2 Nov 99999 10:00", "1 Jan 0001 00:00 +2359"],
)
def test_a_date_that_is_none_is_none(date: str) -> None:
    assert Envelope(date=date).sent_ms is None or isinstance(Envelope(date=date).sent_ms, int)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.binary(max_size=20)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["subject", "from", "path", "date"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["headers", "header", "origin", "rcpt_to", "client", "refused", "mail_from"]), _values
    )
)
def test_any_metadata_is_an_envelope(table: dict[str, object]) -> None:
    found = envelope_of(msgspec.msgpack.encode(table))
    found.subject.encode("utf-8")
    assert found.sent_ms is None or isinstance(found.sent_ms, int)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_envelope(meta: bytes) -> None:
    assert isinstance(envelope_of(meta), Envelope)
