"""Before anything is added: what did the witnesses last see of this record?

A witness that does not answer stops nothing; one that has seen more, or something else, stops everything. Its note is
signed by the record's own key, so nobody can make it up; it is kept beside the record's own as evidence.
Source: R-2.1-b.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from muniment.policy.errors import MunimentError, Tampered
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import Checkpoint, open_checkpoint
from muniment.record.ledger.note import Ed25519Key
from muniment.record.ledger.policy import TrustPolicy
from muniment.record.ledger.publisher import CHECKPOINT_FILE
from muniment.record.ledger.witnessing import origin_hash
from muniment.record.witnessed.client import ask

ANSWER_SECONDS = 5.0
_OK, _NOTHING = 200, 404


@dataclass(frozen=True)
class LastSeen:
    """What one witness serves as the newest checkpoint: a note, empty when it has none; or why it did not answer."""

    name: str
    note: bytes = b""
    silence: str = ""


AskWitnesses = Callable[[TrustPolicy, str], list[LastSeen]]


def ask_witnesses(policy: TrustPolicy, origin: str, seconds: float = ANSWER_SECONDS) -> list[LastSeen]:
    """Ask every witness at once for the newest checkpoint it cosigned of a log; takes `seconds` and a little."""
    urls = {witness.url: witness.name for witness in policy.witnesses}
    if not urls:
        return []

    def last_seen(url: str) -> LastSeen:
        name = urls[url]
        try:
            status, _, body = ask(url, f"/{origin_hash(origin)}/checkpoint", seconds=seconds)
        except MunimentError as error:
            return LastSeen(name, silence=str(error))
        if status == _NOTHING:
            return LastSeen(name)
        return LastSeen(name, body) if status == _OK else LastSeen(name, silence=f"it answered {status}")

    with ThreadPoolExecutor(len(urls), thread_name_prefix="witness") as threads:
        return list(threads.map(last_seen, urls))


def require_not_behind(
    home: Home,
    key: Ed25519Key,
    seen: list[LastSeen],
    require_extends: Callable[[Checkpoint, str], None],
    disk: Disk,
) -> Iterator[str]:
    """Yield what is to be said of witnesses that did not help; all of them are looked at before the first refusal.

    Raises: Tampered when one has seen what this record does not continue; both notes are then in `record/evidence`.
    """
    refusals = []
    for each in seen:
        if each.silence:
            yield f"the witness {each.name} could not be asked: {each.silence}"
        elif each.note:
            try:
                checkpoint = open_checkpoint(each.note, key.name, [key])
            except MunimentError as error:
                yield f"the witness {each.name} serves something this record did not sign: {error}"
                continue
            try:
                require_extends(checkpoint, f"the witness {each.name}")
            except Tampered as error:
                refusals.append(f"{error}. Evidence: {_keep(home, each, disk)}")
    if refusals:
        raise Tampered("; ".join(refusals))


def _keep(home: Home, seen: LastSeen, disk: Disk) -> str:
    """Keep the witness's note and the record's own, and return where."""
    folder = home.record / "evidence"
    stem = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{''.join(c if c.isalnum() else '-' for c in seen.name)}"
    disk.write_durable(folder / f"{stem}-witness.note", seen.note)
    path = home.ledger / CHECKPOINT_FILE
    if path.exists():
        disk.write_durable(folder / f"{stem}-record.note", path.read_bytes())
    return str(folder)
