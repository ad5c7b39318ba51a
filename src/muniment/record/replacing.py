"""Replacing an officer: every epoch's share is sealed again to the newcomer, and the new set is stated in the record.

The act needs one officer's (or the recovery) private key, on the machine where it is run: with the recorder's own
machine this is for the guided replacement at the safe; the shares can as well be sealed elsewhere and handed in.
What an officer once could open he can still open if he kept his key and has the keeper's ring: the set that counts
is the one in force when an entry was recorded. Source: docs/formats/shares.md; docs/trust.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import Conflict
from muniment.record import wraps
from muniment.record.disk import Disk
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.home import Home
from muniment.record.officers import OfficerSet
from muniment.record.opening import OpenRecord, clock_ms, open_record
from muniment.record.unsealing import OfficerView

FORMAT = "muniment-shares/1"
_EPOCHS_AN_ENTRY = 256


def replace_officer(
    home: Home,
    secret: bytes,
    *,
    officer_key: X25519PrivateKey,
    clock: Callable[[], int] = clock_ms,
    disk: Disk | None = None,
) -> int:
    """Seal every share to the officers that `muniment.toml` names and the record does not; return how many epochs.

    Raises:
        Conflict: the file names the same officers as the record. Missing: the key opens none of the shares.
    """
    with open_record(home, secret, clock=clock, disk=disk, accept_new_officers=True) as record:
        known = OfficerSet.from_json(record.stated_officers()).keys.values()
        newcomers = [r for r in record.record.parts.officers.recipients if r.public_key not in known]
        if not newcomers:
            raise Conflict(
                "muniment.toml names no officer the record does not know; nothing is to be replaced"
            )
        entries = list(_sealed_again(record, officer_key, newcomers))
        record.append([*entries, record.officers_entry()])
        return sum(len(json.loads(entry.plain)["shares"]) for entry in entries)


def _sealed_again(
    record: OpenRecord, officer_key: X25519PrivateKey, newcomers: Sequence[wraps.Recipient]
) -> Iterator[Entry]:
    parts = record.record.parts
    view = OfficerView(record.home, record.origin, officer_key, parts.catalogue, parts.keeper)
    shares = []
    for retention, epoch in sorted(
        {(row.segment.retention, row.segment.epoch) for row in parts.catalogue.segments()}
    ):
        root = view.share((retention, epoch))
        sealed = wraps.seal_share(root, record.origin, retention, epoch, newcomers)
        shares.append({"class": retention, "epoch": epoch, "wraps": [wraps.to_json(wrap) for wrap in sealed]})
    for at in range(0, len(shares), _EPOCHS_AN_ENTRY):
        plain = {"format": FORMAT, "shares": shares[at : at + _EPOCHS_AN_ENTRY]}
        yield Entry(stream=Stream.KEYS, kind=Kind.EPOCH, plain=json.dumps(plain, sort_keys=True).encode())
