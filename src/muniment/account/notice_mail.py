"""The message that says where to read a notice. It holds nothing of the notice itself: a mailbox is read by others."""

from __future__ import annotations

import smtplib
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from muniment.policy.errors import Unavailable
from muniment.policy.gateway import split_address
from muniment.policy.policyfile import PolicyFile

_SECONDS = 30.0


def message_of(policy: PolicyFile, address: str, index: int, now: datetime) -> EmailMessage:
    """Return the message about the notice at a ledger index; its Message-ID is the same whenever it is made."""
    domain = policy.organisation.domains[0]
    message = EmailMessage()
    message["From"] = f"Muniment at {policy.organisation.short_name} <postmaster@{domain}>"
    message["To"] = address
    message["Subject"] = "Something new stands in your record"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<notice-{index}@{policy.gateway.hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        "Your record has a new line about who looked at it.\n\n"
        f"Sign in to read it: {place_of(policy)}\n\n"
        "This message says no more, because others may read your mailbox.\n"
    )
    return message


def place_of(policy: PolicyFile) -> str:
    """Return the address of My record, by the first name the console answers to."""
    console = policy.console
    _, port = split_address(console.listen) or ("", 0)
    scheme = "https" if console.certificate else "http"
    host = f"{console.names[0]}:{port}" if console.names else console.listen
    return f"{scheme}://{host.removesuffix(':443' if console.certificate else ':80')}/my-record"


def send(policy: PolicyFile, address: str, index: int, now: datetime) -> None:
    """Hand the message to the gateway's inside door; it has recorded it and passed it on when this returns.

    Raises:
        Unavailable: the gateway does not answer, or does not take it now.
    """
    host, port = split_address(policy.gateway.inside) or ("", 0)
    message = message_of(policy, address, index, now)
    try:
        with smtplib.SMTP(host, port, policy.gateway.hostname, timeout=_SECONDS) as client:
            client.send_message(message, "", [address])
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(
            f"the mail gateway at {policy.gateway.inside} did not take a notice: {error}"
        ) from error
