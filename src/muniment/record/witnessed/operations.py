"""What the recorder's socket is asked about witnesses and anchors, answered in the thread that writes.

    cosign   checkpoint, signatures, disputes   what the witnesses said of a checkpoint; who has cosigned it
    anchor   event, day, to, checkpoint         that a checkpoint was mailed; recorded once
    anchors                                     the anchors of the last forty days

Format: docs/formats/recorder-socket.md. Source: R-2.1-b.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from muniment.policy.errors import BadInput
from muniment.record.ledger.checkpoint import open_checkpoint
from muniment.record.wire import read_arguments
from muniment.record.witnessed.anchor import Anchor, Event, anchor_entry, anchors_since

if TYPE_CHECKING:
    from muniment.record.opening import OpenRecord

_MOST_SAID = 300
_NEVER_TOLD = (Event.WITNESSED,)


class _Cosign(msgspec.Struct, forbid_unknown_fields=True):
    checkpoint: str
    signatures: str = ""
    disputes: dict[str, str] = msgspec.field(default_factory=dict)


class _Anchor(msgspec.Struct, forbid_unknown_fields=True):
    event: Event
    day: date
    to: str
    checkpoint: str


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


def cosign(record: OpenRecord, arguments: dict[str, Any]) -> dict[str, Any]:
    """Keep cosignatures, note disputes, and record the day's anchor."""
    asked, witnessed = read_arguments(arguments, _Cosign), record.witnessed
    known = {witness.name for witness in witnessed.policy.witnesses}
    disputes = {name: said[:_MOST_SAID] for name, said in asked.disputes.items() if name in known}
    for name in disputes.keys() - witnessed.disputes.keys():
        record.record.note("a witness contradicts the record", witness=name, said=disputes[name])
    witnessed.disputes = disputes
    standing = witnessed.take(asked.checkpoint, asked.signatures)
    _remember(record)
    anchor = witnessed.daily(record.record.now_ms())
    if anchor is not None:
        _append(record, anchor)
    return {"cosigned": standing.cosigned, "is_enough": standing.is_enough}


def anchor(record: OpenRecord, arguments: dict[str, Any]) -> dict[str, Any]:
    """Record that a checkpoint of this ledger was mailed, once a day and addressee."""
    asked = read_arguments(arguments, _Anchor)
    if asked.event in _NEVER_TOLD:
        raise BadInput(
            "that a checkpoint is witnessed follows from its cosignatures; nobody tells the recorder so"
        )
    opened = open_checkpoint(asked.checkpoint.encode(), record.origin, [record.signer.key])
    record.require_continues(opened, "the checkpoint of this anchor")
    _remember(record)
    is_new = not record.witnessed.has(asked.event, asked.day, asked.to)
    if is_new:
        _append(record, Anchor(**msgspec.structs.asdict(asked)))
    return {"recorded": is_new}


def anchors(record: OpenRecord, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the anchors of the last forty days."""
    read_arguments(arguments, _Nothing)
    return {"anchors": msgspec.to_builtins(_remember(record))}


OPERATIONS: dict[str, Callable[[OpenRecord, dict[str, Any]], dict[str, Any]]] = {
    "cosign": cosign,
    "anchor": anchor,
    "anchors": anchors,
}


def _remember(record: OpenRecord) -> list[Anchor]:
    known = record.witnessed.anchors
    if known is None:
        known = anchors_since(record.home, record.record.parts.catalogue, record.record.now_ms())
        record.witnessed.anchors = known
    return known


def _append(record: OpenRecord, found: Anchor) -> None:
    record.append([anchor_entry(found)])
    _remember(record).append(found)
