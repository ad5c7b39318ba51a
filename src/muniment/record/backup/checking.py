"""Checking a backup where it lies: every object is read, opened and compared with the manifest.

Nothing of the home is needed but the backup's key. Source: docs/formats/backup.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from muniment.policy.errors import BadInput, Missing, Tampered
from muniment.record.backup.manifest import Manifest, Placed, placed
from muniment.record.backup.run import newest
from muniment.record.backup.sealing import OVERHEAD_BYTES, Seals
from muniment.record.backup.target import Directory


@dataclass
class Checked:
    """What a check found: `wrong` names each object that is missing or not what it was, and the file it is part of."""

    manifest: Manifest
    objects: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether all of the backup can be restored."""
        return not self.wrong


def require_newest(target: Directory, seals: Seals) -> Manifest:
    """Return the newest manifest.

    Raises:
        Missing: there is no backup. Tampered: it does not open.
    """
    manifest = newest(target, seals)
    if manifest is None:
        raise Missing(f"{target.place} holds no backup; make one with `muniment backup`")
    return manifest


def piece_of(target: Directory, seals: Seals, place: Placed) -> bytes:
    """Return one piece, proved.

    Raises:
        Missing, Tampered: its object is not there, or not what it was; the message names object and file.
    """
    where = f"{place.path} from byte {place.start:,}"
    try:
        data = seals.open(place.name, target.get(place.name, place.piece.length + OVERHEAD_BYTES))
    except BadInput as error:
        raise Tampered(f"{where}: {error}") from None
    except (Missing, Tampered) as error:
        raise type(error)(f"{where}: {error}") from None
    if len(data) != place.piece.length or sha256(data).digest() != place.piece.sha256:
        raise Tampered(f"{where}: the object {place.name} holds other bytes than the manifest says")
    return data


def check(target: Directory, seals: Seals, progress: Callable[[int], None] | None = None) -> Checked:
    """Read all of the newest backup and say what is wrong with it.

    Raises:
        Missing, Tampered: there is no backup, or its manifest does not open.
    """
    checked = Checked(require_newest(target, seals))
    for place in placed(checked.manifest, seals):
        checked.objects += 1
        try:
            piece_of(target, seals, place)
        except (Missing, Tampered) as error:
            checked.wrong.append(str(error))
        if progress:
            progress(place.piece.length)
    return checked
