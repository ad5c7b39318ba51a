"""One round: the newest checkpoint goes to every witness at once, and what they say is brought home.

What a witness has seen is asked again whenever it is not known; nothing of it is stored.
Source: C2SP tlog-witness; R-2.1-b.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from muniment.policy.errors import MunimentError, Unavailable
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.ledger.policy import TrustPolicy
from muniment.record.ledger.tiles import TileReader
from muniment.record.ledger.witnessing import (
    Answer,
    Cosigned,
    OtherSize,
    make_submission,
    parse_answer,
)
from muniment.record.witnessed.client import HttpAnswer, ask

Post = Callable[[str, bytes], HttpAnswer]


@dataclass
class Round:
    """What the witnesses said: signature lines, who contradicts the record and how, who did not answer."""

    signatures: str = ""
    disputes: dict[str, str] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)


class Submitter:
    """Submits checkpoints; remembers between rounds how much each witness has seen."""

    def __init__(self, home: Home, post: Post | None = None) -> None:
        self._home, self._post = home, post or _post
        self._seen: dict[str, int] = {}

    def submit(self, checkpoint: str, policy: TrustPolicy) -> Round:
        """Send a published checkpoint to every witness of the policy and return what they said."""
        found = Round()
        by_url: dict[str, list[str]] = {}
        for witness in policy.witnesses:
            by_url.setdefault(witness.url, []).append(witness.name)
        if not by_url:
            return found
        note = checkpoint.encode()
        reader = TileReader(self._home.ledger, parse_checkpoint(parse_note(note).text).size)
        with ThreadPoolExecutor(len(by_url), thread_name_prefix="witness") as threads:
            asked = {url: threads.submit(self._submit, url, reader, note) for url in by_url}
        for url, future in asked.items():
            names = by_url[url]
            try:
                self._sort(future.result(), names, url, reader.size, found)
            except MunimentError as error:
                found.silent.update(dict.fromkeys(names, str(error)))
        return found

    def _submit(self, url: str, reader: TileReader, note: bytes) -> Answer:
        reader = TileReader(self._home.ledger, reader.size)  # one a thread: it caches
        for _ in range(3):
            old = self._seen.get(url, 0)
            body = make_submission(reader, old if old <= reader.size else 0, note).to_bytes()
            answer = parse_answer(*self._post(url, body))
            if not isinstance(answer, OtherSize):
                break
            self._seen[url] = answer.size
            if answer.size > reader.size:
                break
        if isinstance(answer, Cosigned):
            self._seen[url] = reader.size
        return answer

    def _sort(self, answer: Answer, names: list[str], url: str, size: int, found: Round) -> None:
        if isinstance(answer, Cosigned):
            found.signatures += "".join(signature.line() for signature in answer.signatures)
        elif isinstance(answer, OtherSize):
            if answer.size <= size:
                raise Unavailable(f"{url} changed its mind about what it has seen; it is asked again")
            said = (
                f"has confirmed {answer.size:,} entries and this record has {size:,}: "
                "an earlier copy was put back. Stop it and restore the newest copy"
            )
            found.disputes.update(dict.fromkeys(names, said))
        elif answer.status == 422:
            said = f"does not accept that the record continues what it confirmed: {answer.reason}"
            found.disputes.update(dict.fromkeys(names, said))
        else:
            raise Unavailable(f"{url} answered {answer.status}: {answer.reason or 'nothing'}")


def _post(url: str, body: bytes) -> HttpAnswer:
    return ask(url, "/add-checkpoint", body)
