"""Messages are put into conversations, copies folded, and envelopes read from either stream's metadata."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.answer.reading.envelope import Envelope, envelope_of
from muniment.answer.reading.folding import copy_key, fold, print_of
from muniment.answer.reading.letter import read_letter
from muniment.answer.reading.thread import Item, base_subject, conversations

DAY = 86_400_000


def item(
    key: int, message_id: str = "", references: tuple[str, ...] = (), subject: str = "", day: int = 0
) -> Item:
    return Item(key, message_id, references, subject, day * DAY)


def test_messages_that_name_one_another_are_one_conversation_in_any_order() -> None:
    items = [
        item(5, "<1>", (), "Register"),
        item(3, "<2>", ("<1>",), "Re: Register", 1),
        item(9, "<3>", ("<2>",), "Other words", 2),
        item(7, "<4>", (), "Register", 2),
    ]
    found = conversations(items)
    assert found == {5: 3, 3: 3, 9: 3, 7: 7}
    assert conversations(reversed(items)) == found


def test_answers_to_a_message_that_was_never_recorded_are_one_conversation() -> None:
    assert conversations([item(1, "<a>", ("<gone>",)), item(2, "<b>", ("<gone>",))]) == {1: 1, 2: 1}


@pytest.mark.parametrize(
    ("subject", "references", "day", "is_joined"),
    [
        ("Re: Register", (), 3, True),
        ("AW: [Staff] RE[2]: register ", (), 3, True),
        ("Register", (), 3, False),  # nobody says that it is a reply
        ("Re: Register", (), 90, False),  # too long after
        ("Re: Register", ("<elsewhere>",), 3, False),  # it says what it answers, and that is another
        ("Re: Registers", (), 3, False),
    ],
)
def test_a_subject_joins_replies_only(
    subject: str, references: tuple[str, ...], day: int, is_joined: bool
) -> None:
    found = conversations([item(1, "<1>", (), "Register"), item(2, "<2>", references, subject, day)])
    assert (found[2] == 1) is is_joined


def test_empty_subjects_join_nothing() -> None:
    assert conversations([item(1, "<1>"), item(2, "<2>", (), "Re:", 1), item(3, "<3>", (), "Re:", 2)]) == {
        1: 1,
        2: 2,
        3: 3,
    }


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


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.lists(st.sampled_from("abcd"), max_size=2),
            st.sampled_from(["x", "Re: x", ""]),
        ),
        max_size=8,
    )
)
def test_a_conversation_is_named_by_its_least_key(rows: list[tuple[str, list[str], str]]) -> None:
    items = [
        item(key, name, tuple(references), subject, key)
        for key, (name, references, subject) in enumerate(rows)
    ]
    found = conversations(items)
    assert set(found) == set(range(len(rows)))
    assert all(found[least] == least <= key for key, least in found.items())


TEXT = " ".join(f"word{number}" for number in range(60))


def message(text: str = TEXT, message_id: str = "<1@x>", received: str = "") -> bytes:
    head = f"{received}From: ann@training.example\r\nSubject: Register\r\nMessage-ID: {message_id}\r\n"
    return f"{head}\r\n{text}\r\n".encode()


def folded(*raws: bytes) -> list[int]:
    prints = []
    for raw in raws:
        letter = read_letter(raw)
        prints.append(print_of(raw, letter.message_id, letter.from_, letter.subject, letter.body_text))
    return list(fold(enumerate(prints)).values())


def test_copies_are_folded_and_others_are_not() -> None:
    assert folded(message(), message()) == [0, 0]
    assert folded(message(), message(received="Received: by x\r\n")) == [0, 0]
    assert folded(message(), message(message_id="<2@x>", text=TEXT + " signed by a list")) == [0, 0]
    assert folded(message(), message(message_id="<2@x>", text=TEXT.replace("word3", "other"))) == [0, 1]
    assert folded(message("short"), message("short", "<2@x>")) == [0, 1]
    assert folded(message("short"), message("changed")) == [0, 1]


def test_the_key_of_a_copy_is_that_of_its_message() -> None:
    key = copy_key(read_letter(message()))
    assert len(key) == 12
    assert key == copy_key(read_letter(message(received="Received: by x\r\n")))
    assert key != copy_key(read_letter(message(text="another")))
    assert copy_key(read_letter(b"\r\nx")) != copy_key(read_letter(b"\r\ny"))


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
