"""The clockwork's part with officers' mailboxes: each morning each officer gets the record's newest checkpoint.

A checkpoint in a mailbox outside is one nobody at the machine can take back. The message goes the way all mail goes,
so that it is recorded too; that it went is an anchor entry. What fails is said and tried again the next minute; killed
between sending and recording, the message is sent twice under one Message-ID.
Source: R-2.1-b; docs/operations/witness.md.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from muniment.people.moment import LONDON
from muniment.policy.errors import MunimentError, Unavailable
from muniment.policy.gateway import split_address
from muniment.policy.officer import Officer
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.witnessed.anchor import Event

SEND_HOUR = 7
_SECONDS = 30.0


class CheckpointMail:
    """Sends what is due at the time of `now_ms`."""

    def __init__(self, home: Home, now_ms: Callable[[], int]) -> None:
        self._home, self._now_ms = home, now_ms

    def run(self) -> int:
        """Send today's checkpoint to each officer who has not had it, and return how many got it.

        Raises: Unavailable when the recorder or, for any officer, the gateway does not take it.
        """
        policy, now = load(self._home.policy_file), datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        if not policy.witness.mail or not policy.gateway.inside or not policy.gateway.outbound_hop:
            return 0
        day, sent, failures = due_day(now), 0, []
        with Recorder(self._home.socket) as recorder:
            had = {a["to"] for a in recorder.anchors() if (a["event"], a["day"]) == (Event.MAILED, str(day))}
            for officer in [each for each in policy.officers if each.id not in had]:
                note = recorder.checkpoint()
                try:
                    _send(policy, message_of(policy, officer, note, day, now), officer.address)
                    recorder.anchor(event=Event.MAILED, day=str(day), to=officer.id, checkpoint=note)
                    sent += 1
                except MunimentError as error:
                    failures.append(f"{officer.id}: {error}")
        if failures:
            raise Unavailable(f"the checkpoint of {day} was not mailed to {'; '.join(failures)}")
        return sent


def due_day(now: datetime) -> date:
    """Return the day whose checkpoint is due at an aware moment: a day begins at seven in the morning."""
    return (now.astimezone(LONDON) - timedelta(hours=SEND_HOUR)).date()


def message_of(policy: PolicyFile, officer: Officer, note: str, day: date, now: datetime) -> EmailMessage:
    """Return the message with a signed checkpoint, as it stands, and what to do with it."""
    checkpoint = parse_checkpoint(parse_note(note.encode()).text)
    message = EmailMessage()
    message["From"] = (
        f"Muniment at {policy.organisation.short_name} <postmaster@{policy.organisation.domains[0]}>"
    )
    message["To"] = officer.address
    message["Subject"] = f"The record on {day.day} {day:%B %Y}: {checkpoint.size:,} entries"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<checkpoint-{day}-{officer.id}@{policy.gateway.hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        "Keep this message; if the record is ever in doubt, give it to whoever checks with "
        "`muniment checkpoint compare`.\n\n" + note,
        cte="quoted-printable",
    )
    return message


def _send(policy: PolicyFile, message: EmailMessage, address: str) -> None:
    host, port = split_address(policy.gateway.inside) or ("", 0)
    try:
        with smtplib.SMTP(host, port, policy.gateway.hostname, timeout=_SECONDS) as client:
            client.send_message(message, "", [address])
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(f"the mail gateway at {policy.gateway.inside} did not take it: {error}") from error
