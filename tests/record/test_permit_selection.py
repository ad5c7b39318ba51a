"""A selection names entries in the order of the ledger, each key once; nothing else is one."""

from __future__ import annotations

import contextlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.policy.errors import BadInput
from muniment.record.permit_selection import (
    BYTES_ONLY,
    CONTENT,
    META,
    Item,
    digest_of,
    pack_selection,
    parse_selection,
)

SECTIONS = [META, META | CONTENT, CONTENT | BYTES_ONLY]
ITEMS = st.lists(
    st.builds(
        Item,
        st.integers(0, 2**63 - 1),
        st.integers(0, 2**16 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**24 - 1),
        st.sampled_from(SECTIONS),
    ),
    unique_by=(lambda item: item.idx, lambda item: item[1:4]),
).map(sorted)


@given(ITEMS)
def test_a_selection_is_read_back_the_same(items: list[Item]):
    data = pack_selection(items)
    assert len(data) == 19 * len(items)
    assert parse_selection(data) == items
    assert digest_of(data) == sha256(data).hexdigest()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_selection_or_bad_input(data: bytes):
    with contextlib.suppress(BadInput):
        assert pack_selection(parse_selection(data)) == data


def test_the_layout_is_the_one_the_format_states():
    data = pack_selection([Item(1, 2, 3, 4, META | CONTENT)])
    assert data.hex() == "0000000000000001" + "0002" + "00000003" + "00000004" + "03"


@pytest.mark.parametrize(
    "items",
    [
        [Item(2, 2, 1, 1, META), Item(1, 2, 1, 2, META)],
        [Item(1, 2, 1, 1, META), Item(1, 2, 1, 2, META)],
        [Item(1, 2, 1, 1, META), Item(2, 2, 1, 1, META)],
        [Item(1, 2, 1, 1 << 24, META)],
        [Item(1, 2, 1, 1, 0)],
        [Item(1, 2, 1, 1, CONTENT)],
        [Item(1, 2, 1, 1, 8 | META)],
        [Item(1, 2, 1, 1, META | BYTES_ONLY)],
    ],
)
def test_what_contradicts_itself_is_no_selection(items: list[Item]):
    with pytest.raises(BadInput):
        parse_selection(pack_selection(items))
