"""The invented letters of the example organisation, so that a room in it has something to read.

They are imported like any other archive, from files that stay in the home. A real home has none of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from muniment.observe.journal import Journal
from muniment.observe.mail import MailImport
from muniment.observe.sources import Shape
from muniment.policy.policyfile import load
from muniment.policy.shield import Shielding
from muniment.record.disk import Disk
from muniment.record.entry import Retention
from muniment.record.home import Home
from muniment.record.opening import open_record

FOLDER = "example-letters"
_LONDON = ZoneInfo("Europe/London")


class _Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    type: str
    text: str


class _Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    days: int
    at: time
    sender: str
    to: list[str]
    subject: str
    body: str
    cc: list[str] = []
    thread: str = ""
    reply: str = ""
    sensitivity: str = ""
    is_html: bool = False
    attachment: _Attachment | None = None


def letters(today: date) -> Iterator[bytes]:
    """Yield the letters as they stand in the last ten weeks before `today`."""
    table: dict[str, Any] = tomllib.loads(
        files(__package__).joinpath("example_letters.toml").read_text("utf-8")
    )
    for number, letter in enumerate(msgspec.convert(table["letters"], list[_Letter]), start=1):
        yield _composed(letter, number, today)


def record_letters(home: Home, secret: bytes, today: date) -> int:
    """Write the letters into HOME/example-letters and import them into the record; return how many there are."""
    folder = home.path / FOLDER
    for number, content in enumerate(letters(today), start=1):
        Disk().write_durable(folder / f"{number:02}.eml", content, mode=0o600)
    policy = load(home.policy_file)
    shielding = Shielding(policy.shield.names())
    work = MailImport(folder, Shape.EML, Retention.MAIL, policy.organisation.domains, shielding)
    # The journal only serves an import that is stopped; this one is whole or the home is not made.
    with (
        TemporaryDirectory() as place,
        open_record(home, secret) as record,
        Journal(Path(place) / "journal") as notes,
    ):
        return sum(work.run(record, notes))


def _composed(letter: _Letter, number: int, today: date) -> bytes:
    moment = datetime.combine(date.fromordinal(today.toordinal() - letter.days), letter.at, _LONDON)
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(letter.sender)
    message["To"] = [_address(each) for each in letter.to]
    if letter.cc:
        message["Cc"] = [_address(each) for each in letter.cc]
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = f"<{letter.thread or number}.{today:%Y%m%d}@letters.example>"
    if letter.reply:
        message["In-Reply-To"] = message["References"] = f"<{letter.reply}.{today:%Y%m%d}@letters.example>"
    if letter.sensitivity:
        message["Sensitivity"] = letter.sensitivity
    message.set_content(letter.body.lstrip(), subtype="html" if letter.is_html else "plain")
    if letter.attachment is not None:
        main, _, sub = letter.attachment.type.partition("/")
        data = letter.attachment.text.encode()
        message.add_attachment(data, maintype=main, subtype=sub, filename=letter.attachment.name)
        # A boundary of our own: the library draws one, and the same day must give the same bytes.
        message.set_boundary(f"letter-{number}")
    return message.as_bytes()


def _address(text: str) -> Address:
    name, _, address = text.rpartition(" <")
    return Address(display_name=name, addr_spec=address.rstrip(">") if name else text)
