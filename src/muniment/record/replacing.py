"""Replacing an officer: every epoch's share is sealed again to the newcomer, and the new set is stated in the record.

The act needs the private key of somebody who is an officer now, or the recovery key, in the memory of the machine
where it is run; `muniment.record.keys.handover` does the same with the key on a machine of its owner's.
What an officer once could open he can still open if he kept his key and has the keeper's ring: the set that counts
is the one in force when an entry was recorded. Source: docs/formats/shares.md; docs/trust.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import Conflict, Refused
from muniment.record import wraps
from muniment.record.disk import Disk
from muniment.record.entry import Entry, Kind, Stream
from muniment.record.home import Home
from muniment.record.keeper import EpochId
from muniment.record.keys.history import current_officers
from muniment.record.officers import OfficerSet
from muniment.record.opening import OpenRecord, clock_ms, open_record
from muniment.record.sharing import opening_wraps
from muniment.record.unsealing import OfficerView

FORMAT = "muniment-shares/1"
EPOCHS_AN_ENTRY = 256


@dataclass(frozen=True)
class Replaced:
    """What a replacement did: how many epochs were sealed again, for whom; whose keys went, with the old set."""

    epochs: int
    newcomers: tuple[wraps.Recipient, ...]
    departed: tuple[wraps.Recipient, ...]
    before: OfficerSet


def replace_officer(
    home: Home,
    secret: bytes,
    *,
    officer_key: X25519PrivateKey,
    clock: Callable[[], int] = clock_ms,
    disk: Disk | None = None,
) -> Replaced:
    """Seal every share to the officers that `muniment.toml` names and the record does not, and state the new set.

    An officer whom the file does not name any more, or names with another key, goes.

    Raises:
        Conflict: the file names the same officers as the record, or a recorder is running.
        Refused: the key is nobody's who is an officer now. Missing: the key does not open every share.
    """
    require_authority(current_officers(home), officer_key)
    with open_record(home, secret, clock=clock, disk=disk, accept_new_officers=True) as record:
        before, now = OfficerSet.from_json(record.stated_officers()), record.record.parts.officers
        require_authority(before, officer_key)
        if before.digest == now.digest:
            raise Conflict("muniment.toml names the same officers as the record; nothing is to be replaced")
        known, kept = set(before.keys.values()), set(now.keys.values())
        newcomers = tuple(each for each in now.recipients if each.public_key not in known)
        departed = tuple(each for each in before.recipients if each.public_key not in kept)
        shares = dict(_sealed_again(record, officer_key, newcomers)) if newcomers else {}
        record.append([*share_entries(shares), record.officers_entry()])
        return Replaced(len(shares), newcomers, departed, before)


def require_authority(stated: OfficerSet, officer_key: X25519PrivateKey) -> None:
    """Return when the key is that of an officer, or the recovery key, of the set in force.

    Raises:
        Refused: it is somebody else's, or of somebody who was an officer once.
    """
    own = officer_key.public_key().public_bytes_raw()
    if own not in stated.keys.values():
        raise Refused(
            f"key {wraps.key_id(own).hex()} is not the key of anybody who is an officer now, and may not hand the "
            "record on; take the key file of one who is, or the recovery key of the sheet in the safe",
            clause="R-5.2-f",
        )


def share_entries(shares: dict[EpochId, Sequence[wraps.Wrap]]) -> Iterator[Entry]:
    """Yield the open entries that hold shares sealed again, at most 256 epochs each."""
    told = [
        {"class": retention, "epoch": epoch, "wraps": [wraps.to_json(wrap) for wrap in sealed]}
        for (retention, epoch), sealed in sorted(shares.items())
    ]
    for at in range(0, len(told), EPOCHS_AN_ENTRY):
        plain = {"format": FORMAT, "shares": told[at : at + EPOCHS_AN_ENTRY]}
        yield Entry(stream=Stream.KEYS, kind=Kind.EPOCH, plain=json.dumps(plain, sort_keys=True).encode())


def _sealed_again(
    record: OpenRecord, officer_key: X25519PrivateKey, newcomers: Sequence[wraps.Recipient]
) -> Iterator[tuple[EpochId, Sequence[wraps.Wrap]]]:
    """Yield the shares of every epoch that is not sealed to all newcomers yet; the one just opened is."""
    parts = record.record.parts
    view = OfficerView(record.home, record.origin, officer_key, parts.catalogue, parts.keeper)
    for epoch in sorted({(row.segment.retention, row.segment.epoch) for row in parts.catalogue.segments()}):
        owners = {wrap.to for wrap in opening_wraps(record.home, epoch)}
        lacking = [each for each in newcomers if each.key_id.hex() not in owners]
        if lacking:
            yield epoch, wraps.seal_share(view.share(epoch), record.origin, *epoch, lacking)
