"""An enquiry, and the sealed address that carries it: what is sought never stands readable in an address.

A search is asked by a form and shown at an address of its own, so that going back and loading again work. Browsers,
logs and histories keep addresses; the words of a query are sealed content. So the address holds them encrypted, for
one sign-in, one person and one room: in any other it opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import date

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muniment.policy.errors import BadInput

_INFO = b"muniment/1 sealed address"
_NONCE_BYTES = 12
LONGEST_TICKET = 6_000
# What stands before a reason when the search looks for the other side of the matter (R-5.3-a).
CLEARING = "To clear: "


class Enquiry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, array_like=True):
    """What is sought and why; the same for a search and for every message opened from its result."""

    words: str = ""
    person: str = ""
    since: date | None = None
    until: date | None = None
    field: str = "any"
    tag: str = ""
    fold: bool = True
    clears: bool = False
    reason: str

    @property
    def stated(self) -> str:
        """Return the reason as it is recorded."""
        return CLEARING + self.reason if self.clears else self.reason


@dataclass(frozen=True)
class SealedAddress:
    """Seals enquiries into addresses for one sign-in, one person and one room.

    `secret` is the console's own, `sign_in` the key of the session; neither is ever sent.
    """

    secret: str
    sign_in: str
    person: str
    room: str

    def seal(self, enquiry: Enquiry) -> str:
        """Return the part of an address that carries an enquiry."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._key()).encrypt(nonce, msgspec.msgpack.encode(enquiry), None)
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, ticket: str) -> Enquiry:
        """Return the enquiry an address carries.

        Raises: BadInput when the address was made for another sign-in, person or room, or is none.
        """
        try:
            data = base64.urlsafe_b64decode(ticket[:LONGEST_TICKET] + "=" * (-len(ticket) % 4))
            opened = AESGCM(self._key()).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], None)
            return msgspec.msgpack.decode(opened, type=Enquiry)
        except (ValueError, binascii.Error, InvalidTag, msgspec.MsgspecError) as error:
            message = (
                "the address of this page was made in another sign-in or another room; "
                "go to the room and search again"
            )
            raise BadInput(message) from error

    def _key(self) -> bytes:
        bound = b"\0".join(part.encode() for part in (self.sign_in, self.person, self.room))
        return HKDF(SHA256(), 32, None, _INFO + b"\0" + bound).derive(self.secret.encode())
