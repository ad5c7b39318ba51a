"""`kill -9` at random instants under load: what was acknowledged is recorded and delivered, what is doubled is marked.

Senders do what mail servers do: they try again until they hear 250. R-5.1-a, R-2.1-b.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

import pytest

from muniment.guard.mail.smtp_content import unstuff
from muniment.record.entry import Kind, Stream

from .hop import Hop
from .house import House, house
from .ports import free_port
from .talk import Talk

CLIENTS, LOAD_SECONDS, END_SECONDS = 8, 8.0, 30.0
TUTOR, OUTSIDER = "tomas@training.example", "someone@outside.example"
LETTER = b"From: <a@b.example>\r\nSubject: %d of %d\r\nContent-Type: text/plain\r\n\r\nMessage %d of client %d.\r\n"
pytestmark = pytest.mark.xdist_group("gateway-kill")


class Sender(threading.Thread):
    """One client: sends numbered messages until told to stop, each until it is acknowledged."""

    def __init__(self, running: House, client: int) -> None:
        super().__init__()
        self.client, self.acknowledged, self.tries = client, [], 0
        self._is_inside = client % 2 == 0
        self._port = running.ports["inside" if self._is_inside else "outside"]
        self._envelope = (TUTOR, [OUTSIDER]) if self._is_inside else (OUTSIDER, [TUTOR])
        self._talk: Talk | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            content = LETTER % (number, self.client, number, self.client)
            deadline = time.monotonic() + END_SECONDS
            while not self._try(content):
                if time.monotonic() > deadline:
                    return
                time.sleep(0.02)
            self.acknowledged.append(content)
            number += 1
        self._hang_up()

    def _try(self, content: bytes) -> bool:
        self.tries += 1
        try:
            if self._talk is None:
                self._talk = Talk(self._port)
            if self._talk.deliver(*self._envelope, content).startswith(b"250 2.0.0 recorded mail-gateway/"):
                return True
        except OSError:
            pass
        self._hang_up()
        return False

    def _hang_up(self) -> None:
        if self._talk is not None:
            with suppress(OSError):
                self._talk.__exit__(None, None, None)
            self._talk = None


def kill_at_random(running: House, chance: random.Random) -> Counter[str]:
    """Kill and start again the recorder, the gateway or both, until the load is over; return what was killed."""
    killed: Counter[str] = Counter()
    end = time.monotonic() + LOAD_SECONDS
    turns = iter([["recorder"], ["gateway"], ["gateway", "recorder"]] * 100)
    while time.monotonic() < end or len(killed) < 3:
        time.sleep(chance.uniform(0.05, 0.6))
        names = next(turns)
        assert running.counter("failures") == 0
        for name in names:
            running.processes[name].kill()
            time.sleep(chance.choice([0.0, chance.uniform(0.0, 0.05)]))
        for name in reversed(names):
            running.start(name)
        killed[" and ".join(names)] += 1
    return killed


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled_unmarked(tmp_path: Path, seed: int) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    with (
        Hop(port) as hop,
        house(
            tmp_path, "recorder", "gateway", gateway__outbound_hop=address, gateway__inbound_hop=address
        ) as running,
    ):
        senders = [Sender(running, client) for client in range(CLIENTS)]
        for sender in senders:
            sender.start()
        killed = kill_at_random(running, random.Random(seed))
        for sender in senders:
            sender.stopping.set()
        for sender in senders:
            sender.join(2 * END_SECONDS)
        assert not [sender.client for sender in senders if sender.is_alive() or not sender.acknowledged]
        assert len(killed) == 3
        acknowledged = [content for sender in senders for content in sender.acknowledged]
        assert running.counter("failures") == 0
        check(running, hop, acknowledged)
        tries = sum(sender.tries for sender in senders)
    print(f"{len(acknowledged)} acknowledged in {tries} tries; killed: {dict(killed)}")


def check(running: House, hop: Hop, acknowledged: list[bytes]) -> None:
    """Compare what senders heard with the record and with what the hop took."""
    copies = defaultdict(list)
    sent: dict[bytes, bytes] = {}
    for opened in running.entries(Stream.MAIL_GATEWAY):
        copies[opened.content].append(opened)
        if opened.sent is not None:
            sent.setdefault(opened.content, opened.sent)
    delivered = Counter(unstuff(message) for message in hop.messages)
    lost = [content for content in acknowledged if content not in copies]
    assert lost == []
    assert [content for content in acknowledged if not delivered[sent.get(content, content)]] == []
    for content, found in copies.items():
        first, *others = found
        assert first.row.kind == Kind.RECORD
        assert first.told.about is None
        holders = {each.row.idx for each in found if each.row.kind == Kind.RECORD}
        for other in others:
            assert other.told.about in holders, content
            assert other.told.about < other.row.idx, content
        assert delivered[sent.get(content, content)] <= len(found)
    assert sum(delivered.values()) == sum(delivered[sent.get(content, content)] for content in copies)
