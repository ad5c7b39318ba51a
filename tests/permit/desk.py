"""A home with a real recorder behind its socket, people in the register, mail in the record, and permits to ask for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.people.models import Person
from muniment.people.register import import_people
from muniment.permit import rooms
from muniment.permit.acts import Asked, approval_request, approve, ask
from muniment.permit.asking import Asking, role_to_ask_in
from muniment.permit.office import Office
from muniment.permit.release import open_release, read_bundle, sign
from muniment.permit.replay import Standing
from muniment.policy.policyfile import load
from muniment.record import keyfile, permit_text
from muniment.record.client import Recorder
from muniment.record.entry import Capture, Channel, Direction, Entry, Receipt, Retention, Stream
from muniment.record.home import Home
from muniment.record.opening import open_record
from muniment.record.released import ReleasedView
from muniment.record.server import RecorderServer
from tests.organisation import private_key_bytes
from tests.people.files import people_file, row
from tests.record.recording import SECRET, START_MS, Clock, check_record, make_home, message

STARTED = "2026-01-01"
TOMAS, STELLA, OUTSIDE = "tomas@training.example", "stella@training.example", "someone@outside.example"
PEOPLE = (
    row("morgan", "Morgan Example", "managing_director", "", "morgan@training.example", STARTED),
    row("olive", "Olive Example", "office_manager", "morgan", "olive@training.example", STARTED),
    row("chris", "Chris Example", "alternate", "", "chris@chair.example", STARTED),
    row("ida", "Ida Byte", "it_support", "olive", "ida@training.example", STARTED),
    row("hana", "Hana Resources", "hr", "olive", "hana@training.example", STARTED),
    row("tomas", "Tomás Tutor", "staff", "olive", TOMAS, STARTED),
    row("stella", "Stella Student", "student", "", STELLA, STARTED),
)
OFFICERS = {"morgan": "managing-director", "olive": "office-manager", "chris": "chair"}
NOW = datetime.fromtimestamp(START_MS / 1000, UTC)


@dataclass
class Desk:
    """Everything at hand; `clock` is the recorder's and the officers'."""

    home: Home
    clock: Clock
    office: Office
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock() / 1000, UTC)

    def person(self, name: str) -> Person:
        return Person.objects.get(external_id=name)

    def mail(self, *addresses: str, text: str = "Good morning.", shielded: str = "") -> int:
        """Record a message between addresses and return its ledger index."""
        number = len(self.receipts) + 1
        entry = Entry(
            stream=Stream.MAIL_GATEWAY,
            channel=Channel.SMTP,
            retention=Retention.MAIL,
            capture=Capture.WIRE,
            direction=Direction.OUTBOUND,
            addresses=addresses,
            content=message(number, text),
            meta=b"\x81\xa4from\xa5tomas",
            shielded=shielded,
        )
        self.receipts += self.office.recorder.append([entry])
        self.office.recorder.publish()
        return self.receipts[-1].index

    def asking(self, asks: str = "ida", about: str = "tomas", **changes: Any) -> Asking:
        """Return a plain request: IT Support about a tutor's mail, the last month."""
        values: dict[str, Any] = {
            "requester": self.person(asks),
            "role": role_to_ask_in(
                self.office, self.person(asks), str(changes.get("kind", "look")), self.now
            ),
            "purpose": "CASE",
            "case": "2026/17",
            "reason": "Orders were placed; who placed them?",
            "alternative": "Asked the supplier.",
            "start": NOW - timedelta(days=30),
            "until": NOW + timedelta(days=1),
            "people": (self.person(about),) if about else (),
        }
        return Asking(**(values | changes))

    def ask(self, asks: str = "ida", about: str = "tomas", **changes: Any) -> Asked:
        return ask(self.office, self.asking(asks, about, **changes))

    def sign(self, number: str, officer: str = "morgan", key: str = "") -> bytes:
        """Return what an officer's side makes of a request that waits, decided now."""
        bundle = read_bundle(approval_request(self.office, number))
        return sign(bundle, OFFICERS.get(officer, officer), private_key(key or officer), self.clock())

    def approve(self, number: str, officer: str = "morgan") -> Standing:
        approve(self.office, self.sign(number, officer))
        return self.standing(number)

    def standing(self, number: str) -> Standing:
        return self.office.history().permit(number)

    @contextmanager
    def room(self, number: str, words: str) -> Iterator[ReleasedView]:
        """Open a permit's room as its process does: with the six words, the release, and the recorder's blades."""
        standing = self.standing(number)
        request = standing.request
        key = keyfile.open_key(
            keyfile.parse_key_file(rooms.read_key(self.home, number, standing.revision)), words
        )
        signed = permit_text.parse_signed_approval(rooms.read_approval(self.home, request))
        covers = open_release(signed.release, key, request, permit_text.parse_approval(signed.approval))
        selection = rooms.read_selection(self.home, request)
        released = self.office.recorder.release(standing.text, signed.approval, signed.signature, selection)
        view = ReleasedView(self.home, covers, list(released), released.blobs)
        try:
            yield view
        finally:
            view.close()


def private_key(name: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(private_key_bytes(OFFICERS.get(name, name)))


@contextmanager
def opened(folder: Path) -> Iterator[Desk]:
    """Make the home, run its recorder with a clock of its own, bring in people; at the end prove the record whole."""
    clock = Clock()
    home = make_home(folder, clock)
    import_people(people_file(*PEOPLE), moment=NOW - timedelta(days=60), example=True)
    with serving(home, clock), Recorder(home.socket) as recorder:
        yield Desk(home, clock, Office(home, load(home.policy_file), recorder, clock))
    check_record(home)


@contextmanager
def serving(home: Home, clock: Clock) -> Iterator[None]:
    """Serve the record on its socket from a thread of this process, so that the test holds its clock."""
    record = open_record(home, SECRET, clock=clock)
    ready, stopping, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        server = RecorderServer(record)
        await server.start()
        ready.set()
        await stopping.wait()
        await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(30)
        loop.close()
