"""A long message that left changed is kept as written and the one stretch that differs. R-5.1-a."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from muniment.record.chain import Manifest, difference, join

TEXT = st.one_of(st.binary(max_size=60), st.text("ab", max_size=60).map(str.encode))
FILLING = b"The same line again and again.\r\n" * 8_000


@given(start=TEXT, written=TEXT, sent=TEXT, end=TEXT, long=st.booleans())
def test_the_patch_gives_the_sent_bytes_and_is_the_least(
    start: bytes, written: bytes, sent: bytes, end: bytes, long: bool
) -> None:
    filling = FILLING if long else b""
    before, after = filling + start + written + end + filling, filling + start + sent + end + filling
    patch = difference(before, after)
    manifest = Manifest(1, len(before), hashlib.sha256(before).digest(), patch)
    assert join(manifest, [before]) == (before, after)
    middle_of_written = before[patch.keep_start : len(before) - patch.keep_end]
    assert middle_of_written[:1] != patch.middle[:1] or not patch.middle or not middle_of_written
    assert middle_of_written[-1:] != patch.middle[-1:] or not patch.middle or not middle_of_written
