"""Endings by which one message was made two on its way through two servers. Source: CVE-2023-51764 and its kin.

A message's last line in a legal form, and every other that some server takes for it.
"""

from __future__ import annotations

BARE = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\n\n.\n\n",
    b"\n\r.\r\n",
    b"\r\r.\r\r",
    b"\r\n.\r\r\n",
    b"\r\n.\n\r\n",
    b"\r\x00\n.\r\n",
    b"\r\n.\r\x00\n",
    b"\n\x00.\r\n",
    b"bare \r inside",
    b"bare \n inside",
    b"\r",
    b"\n",
]
HIDDEN = [
    b"\r\n\x00.\r\n",
    b"\r\n\x00\x00.\r\n",
    b"\r\n\x00.\x00\r\n",
    b"\r\n.\x00.\r\n",
]
REFUSED = BARE + HIDDEN
LEGAL = [
    b"\r\n..\r\n",
    b"\r\n.. \r\n",
    b"\r\n. \r\n",
    b"\r\n.\t\r\n",
    b"\r\n.\x00\r\n",
    b"\r\n .\r\n",
    b"\r\n\xa0.\r\n",
    b"\x00",
    b"\r\n\x00\r\n",
    b"\r\n\x00.x\r\n",
    b"\x0b.\x0b",
    b"\x0c.\x0c",
    b"\x85.\x85",
    b"\xc2\x85.\xc2\x85",
    b"\xe2\x80\xa8.\xe2\x80\xa8",
]
SMUGGLED = (
    b"MAIL FROM:<evil@outside.example>\r\nRCPT TO:<victim@training.example>\r\nDATA\r\n"
    b"From: <evil@outside.example>\r\nSubject: smuggled\r\n\r\nPay at once.\r\n"
)


def smuggling(ending: bytes) -> bytes:
    """Return a message, as it goes over the wire without its final dot, that hides another behind an ending."""
    return b"From: <a@outside.example>\r\nSubject: carrier\r\n\r\nHello" + ending + SMUGGLED
