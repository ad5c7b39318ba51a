from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.observe.dated import dated_ms

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "moment"),
    [
        (b"Tue, 24 Nov 2026 16:05:00 +0000", datetime(2026, 11, 24, 16, 5, tzinfo=UTC)),
        (b"Mon, 3 Sep 2001 08:00:00 -0700 (PDT)", datetime(2001, 9, 3, 15, 0, tzinfo=UTC)),
        (b"3 Sep 2001 08:00 -0000", datetime(2001, 9, 3, 8, 0, tzinfo=UTC)),
        (b"Wed, 25 Nov 2026 23:00:00 +1400", datetime(2026, 11, 25, 9, 0, tzinfo=UTC)),
    ],
)
def test_the_date_a_letter_names_is_its_time(field: bytes, moment: datetime) -> None:
    assert dated_ms(field, NOW) == moment.timestamp() * 1000


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"yesterday",
        b"Thu, 1 Jan 1970 00:00:00 +0000",
        b"Fri, 27 Nov 2026 09:00:00 +0000",
        b"Tue, 31 Feb 2026 10:00:00 +0000",
        b"Tue, 24 Nov 99999 16:05:00 +0000",
        b"Fri, 31 Dec 9999 23:59:59 -2359",
        b"\xff\xfe",
    ],
)
def test_no_date_and_an_impossible_one_are_not_known(field: bytes) -> None:
    assert dated_ms(field, NOW) == 0


@given(st.binary(max_size=400))
def test_no_bytes_raise_and_none_is_out_of_range(field: bytes) -> None:
    assert 0 <= dated_ms(field, NOW) <= (NOW.timestamp() + 86_400) * 1000
