"""The keys of the seals rest on HMAC-SHA256 as the standard library has it."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from muniment.record.seal import hmac_sha256


@given(key=st.binary(max_size=64), message=st.binary(max_size=300))
def test_our_hmac_is_that_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")
