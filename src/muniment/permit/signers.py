"""Every signing key that the record ever stated for an officer: whose signature made an approval, then as now.

An approval keeps its worth when its officer is replaced, so earlier keys count for what was approved under them.
Source: R-5.2-f; docs/formats/shares.md, "In the record".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing

from muniment.permit.act import Act
from muniment.policy.errors import BadInput, MunimentError
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Retention, Stream
from muniment.record.home import Home
from muniment.record.officers import OfficerSet
from muniment.record.open_entries import read_plain
from muniment.record.permit_text import verify_signature

Signers = Mapping[str, frozenset[bytes]]


def signers_of(home: Home) -> Signers:
    """Return the public signing keys that were stated for each officer's id.

    Raises:
        Missing, Tampered: the record cannot be read.
    """
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    stated = "stream = ? AND retention = ? AND position > 0"  # behind the first frame of each epoch
    with closing(Catalogue.open_readonly(home.database)) as catalogue:
        for row in catalogue.rows(stated, (Stream.KEYS, Retention.JOURNAL)):
            plain = read_plain(home, row)
            if b'"muniment-officers/' in plain:
                for officer, key in OfficerSet.from_json(plain).signing_keys.items():
                    found[officer].add(key)
    return {officer: frozenset(keys) for officer, keys in found.items()}


def require_signed(act: Act, signers: Signers) -> None:
    """Return when an approval is signed by a key that was stated for its officer.

    Raises:
        BadInput: it is not; nobody approved that.
    """
    for key in signers.get(act.by, ()):
        try:
            return verify_signature(act.approval, act.signature, key)
        except MunimentError:
            continue
    raise BadInput(
        f"no key of {act.by[:60]!r} signed the approval of permit {act.number}: it counts for nothing"
    )
