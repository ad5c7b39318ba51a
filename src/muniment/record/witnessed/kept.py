"""What the recorder keeps of its witnesses: the newest checkpoint that enough of them have cosigned.

`ledger/cosigned` is that checkpoint as a signed note. A cosignature is believed only when it fits a key of the policy
file, and a checkpoint only when the ledger continues it. Once a day it becomes an anchor entry too.
Source: R-2.1-b; docs/formats/witness.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from muniment.policy.errors import BadInput, MunimentError
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from muniment.record.ledger.note import Ed25519Key, parse_note
from muniment.record.ledger.policy import TrustPolicy
from muniment.record.ledger.witnessing import Standing, add_cosignatures, standing_of
from muniment.record.witnessed.anchor import Anchor, Event

COSIGNED_FILE = "cosigned"
LATE_SECONDS = 3600
_NOBODY = Standing({}, is_enough=False)


@dataclass(frozen=True)
class Ledger:
    """What this module must know of the open record."""

    home: Home
    key: Ed25519Key
    disk: Disk
    require_extends: Callable[[Checkpoint, str], None]


class Witnessed:
    """The cosigned checkpoint of one open record. In the thread that writes."""

    def __init__(self, ledger: Ledger, policy: TrustPolicy) -> None:
        self._ledger, self.policy = ledger, policy
        self._path = ledger.home.ledger / COSIGNED_FILE
        self.disputes: dict[str, str] = {}
        self.anchors: list[Anchor] | None = None
        self._since = 0
        try:
            self._note = self._path.read_bytes()
        except FileNotFoundError:
            self._note = b""

    @property
    def note(self) -> bytes:
        """The newest checkpoint with cosignatures; empty before the first."""
        return self._note

    def standing(self) -> Standing:
        """Return who has cosigned what is kept, by the policy now in force."""
        try:
            open_checkpoint(self._note, self._ledger.key.name, [self._ledger.key])
            return standing_of(self._note, self.policy)
        except MunimentError:
            return _NOBODY

    def take(self, checkpoint: str, signatures: str) -> Standing:
        """Keep what witnesses said of a checkpoint of this ledger, and return who has cosigned it.

        What is kept that enough have cosigned is replaced only by a newer one that enough have cosigned.
        Raises: BadInput, Tampered when it is no checkpoint of this ledger, or a cosignature does not fit.
        """
        note, origin = checkpoint.encode(), self._ledger.key.name
        opened = open_checkpoint(note, origin, [self._ledger.key])
        self._ledger.require_extends(opened, "what a witness cosigned")
        lines = parse_note(b"-\n\n" + signatures.encode()).signatures if signatures else ()
        kept = self._checkpoint()
        if kept == opened:
            note = self._note
        cosigned = add_cosignatures(note, lines, self.policy)
        standing = standing_of(cosigned, self.policy)
        is_newer = kept is None or opened.size >= kept.size
        if standing.cosigned and is_newer and (standing.is_enough or not self.standing().is_enough):
            self._ledger.disk.write_durable(self._path, cosigned)
            self._note = cosigned
        return standing

    def state(self, now_ms: int) -> dict[str, Any]:
        """Return what `status` says of the witnesses."""
        standing, kept, seconds = self.standing(), self._checkpoint(), now_ms // 1000
        times = [at for at in standing.cosigned.values() if at <= seconds + LATE_SECONDS]
        is_witnessed = bool(standing.is_enough and self.policy.witnesses)
        return {
            "witnessed": is_witnessed,
            "witnesses": {
                "confirmed": sorted(standing.cosigned),
                "of": len(self.policy.witnesses),
                "at_ms": 1000 * min(max(times, default=0), seconds) if is_witnessed else 0,
                "size": kept.size if kept and is_witnessed else 0,
                "disputes": dict(self.disputes),
            },
        }

    def problems(self, now_ms: int) -> list[str]:
        """Return what an administrator must do about the witnesses."""
        found = [f"the witness {name} {said}" for name, said in self.disputes.items()]
        if self.policy.witnesses:
            self._since = self._since or now_ms
            state = self.state(now_ms)["witnesses"]
            last_ms = max(state["at_ms"], self._since)
            if now_ms - last_ms > 1000 * LATE_SECONDS:
                found.append(
                    "too few witnesses have confirmed the record in the last hour; "
                    "see whether they run and can be reached"
                )
        return found

    def daily(self, now_ms: int) -> Anchor | None:
        """Return the anchor of today when the kept checkpoint is not yet recorded as one."""
        today = _day(now_ms)
        if not self.policy.witnesses or not self.standing().is_enough or self.has(Event.WITNESSED, today):
            return None
        return Anchor(event=Event.WITNESSED, day=today, checkpoint=self._note.decode())

    def has(self, event: Event, day: date, to: str = "") -> bool:
        """Tell whether an anchor is recorded."""
        return any((a.event, a.day, a.to) == (event, day, to) for a in self.anchors or ())

    def _checkpoint(self) -> Checkpoint | None:
        if not self._note:
            return None
        try:
            return parse_checkpoint(parse_note(self._note).text)
        except BadInput:
            return None


def _day(now_ms: int) -> date:
    return datetime.fromtimestamp(now_ms / 1000, UTC).date()
