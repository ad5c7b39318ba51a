"""A record of the example organisation for tests: made, opened, read by an officer, and proved whole at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.policyfile import load
from muniment.record.catalogue import Catalogue
from muniment.record.checks import check_checkpoint
from muniment.record.comparison import compare_catalogue
from muniment.record.disk import Disk
from muniment.record.entry import Capture, Channel, Direction, Entry, Retention, Stream
from muniment.record.home import Home
from muniment.record.keeper import Keeper
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.opening import VKEY_FILE, OpenRecord, create_record, open_record, origin_of
from muniment.record.retention.expiry import Forgotten
from muniment.record.unsealing import OfficerView
from muniment.record.verify import Report, verify
from tests.organisation import policy_text, private_key_bytes

SECRET = bytes(range(32))
START_MS = 1_793_527_200_000  # 1 November 2026, 10:00 UTC
DAY_MS = 86_400_000


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, *, seconds: float = 0, days: float = 0) -> None:
        self.now_ms += int(seconds * 1000 + days * DAY_MS)


def make_home(path: Path, clock: Callable[[], int] | None = None, **overrides: object) -> Home:
    home = Home(path / "home")
    home.path.mkdir(parents=True)
    home.policy_file.write_text(policy_text(**overrides))
    create_record(home, SECRET, clock or Clock())
    return home


@contextmanager
def recording(home: Home, clock: Clock | None = None, disk: Disk | None = None) -> Iterator[OpenRecord]:
    with open_record(home, SECRET, clock=clock or Clock(), disk=disk) as record:
        yield record


def expire(record: OpenRecord) -> list[Forgotten]:
    """Forget what is due, by a clock that a person has said is right."""
    record.retention.confirm_clock("managing-director")
    return record.retention.expire()


def message(number: int = 1, text: str = "Good morning. The register for Tuesday is attached.") -> bytes:
    return (
        f"From: Tom\u00e1s Tutor <tomas@training.example>\r\nTo: someone@outside.example\r\n"
        f"Subject: Register {number}\r\nMessage-ID: <{number}@training.example>\r\n\r\n{text}\r\n"
    ).encode()


def mail(number: int = 1, *, content: bytes | None = None, sent: bytes | None = None) -> Entry:
    return Entry(
        stream=Stream.MAIL_GATEWAY,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.WIRE,
        direction=Direction.OUTBOUND,
        addresses=("tomas@training.example", f"someone{number % 5}@outside.example"),
        content=message(number) if content is None else content,
        sent=sent,
        meta=b"\x81\xa4from\xa5tomas",
        facts=b"\x81\xa7outcome\xa5allow",
    )


@contextmanager
def officer_view(
    home: Home, owner: str = "managing-director", private: bytes | None = None
) -> Iterator[OfficerView]:
    catalogue = Catalogue(home.database)
    key = X25519PrivateKey.from_private_bytes(private or private_key_bytes(owner))
    try:
        yield OfficerView(
            home, origin_of(load(home.policy_file)), key, catalogue, Keeper.load(home, SECRET, Disk())
        )
    finally:
        catalogue.close()


def prove(home: Home) -> Report:
    origin = origin_of(load(home.policy_file))
    keys = [parse_vkey((home.ledger / VKEY_FILE).read_text().strip())]
    keeper = Keeper.load(home, SECRET, Disk())
    return verify(home, origin, [check_checkpoint(origin, keys), compare_catalogue(home, keeper)])


def check_record(home: Home) -> Report:
    """Re-verify everything; ends every test that writes."""
    report = prove(home)
    assert report.findings == [], "\n".join(map(str, report.findings))
    return report


def contents(home: Home, owner: str = "managing-director") -> dict[int, bytes]:
    """Return {ledger index: content} of every communication, opened with an officer's key."""
    with officer_view(home, owner) as view:
        rows = view.catalogue.rows("channel = ? AND kind IN (1, 14)", (Channel.SMTP,))
        return {row.idx: view.open(row.idx).content for row in rows}
