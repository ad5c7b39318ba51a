"""The example's outside world: `python -m muniment.serve.sink HOME`, two SMTP servers that keep mail in memory only.

The `outside` server stands for the world, the `inside` one for the organisation's own mail server. The last 500
messages can be listed and read through HOME/run/sink.sock; nothing is delivered and nothing is written to disk.
The local part of a recipient makes a server misbehave, for the tour and the tests:

    refused@        550 at RCPT                     later@      451 at RCPT
    rejected@       554 at the end of the message   slow@       answers the end of the message after 3 seconds
    hangs-up@       closes the connection at the end of the message, without an answer
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import signal
import sys
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import uvloop
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as Received
from aiosmtpd.smtp import Session as Connection

from muniment.guard.mail.header_fields import scan_header
from muniment.policy.errors import BadInput, Missing, MunimentError, Refused, Unavailable
from muniment.policy.gateway import split_address
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.serve.json_line import serve_lines

SOCKET = "sink.sock"
KEPT_MESSAGES = 500
MAX_MESSAGE_BYTES = 256 << 20
SLOW_SECONDS = 3.0


class Kept(msgspec.Struct, frozen=True):
    """One message as it arrived."""

    id: int
    received_at: str
    listener: str
    mail_from: str
    rcpt_to: tuple[str, ...]
    content: bytes

    def summary(self) -> dict[str, Any]:
        """Return what a list shows."""
        subject = scan_header(self.content).get("subject", b"")
        return {
            "id": self.id,
            "received_at": self.received_at,
            "listener": self.listener,
            "mail_from": self.mail_from,
            "rcpt_to": list(self.rcpt_to),
            "size": len(self.content),
            "subject": " ".join(subject.decode("utf-8", "replace").split()),
        }


class Sink:
    """What both servers keep."""

    def __init__(self) -> None:
        self.kept: deque[Kept] = deque(maxlen=KEPT_MESSAGES)
        self._last_id = 0

    def keep(self, listener: str, mail_from: str, rcpt_to: Sequence[str], content: bytes) -> Kept:
        """Keep a message and forget the oldest beyond the limit."""
        self._last_id += 1
        received_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept = Kept(self._last_id, received_at, listener, mail_from, tuple(rcpt_to), content)
        self.kept.append(kept)
        return kept

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer `list` and `show`.

        Raises:
            BadInput, Missing: the question is another, or there is no such message.
        """
        if question.get("op") == "list":
            return {"example": True, "messages": [kept.summary() for kept in self.kept]}
        if question.get("op") != "show":
            raise BadInput('the sink answers {"op": "list"} and {"op": "show", "id": NUMBER}')
        for kept in self.kept:
            if kept.id == question.get("id"):
                return kept.summary() | {
                    "example": True,
                    "raw_base64": base64.b64encode(kept.content).decode(),
                }
        raise Missing(
            f"the outside world holds no message {question.get('id')!r}; `muniment outside` lists them"
        )


class Handler:
    """What aiosmtpd calls for one server."""

    def __init__(self, sink: Sink, listener: str) -> None:
        self._sink, self._listener = sink, listener

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd looks for
        self, server: SMTP, session: Connection, envelope: Received, address: str, options: list[str]
    ) -> str:
        """Accept a recipient unless its local part asks otherwise."""
        local = address.partition("@")[0].lower()
        if local == "refused":
            return "550 5.1.1 EXAMPLE no such person here"
        if local == "later":
            return "451 4.2.1 EXAMPLE come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient noted"

    async def handle_DATA(self, server: SMTP, session: Connection, envelope: Received) -> str:  # noqa: N802
        """Keep a message unless a recipient's local part asks otherwise."""
        locals_ = {address.partition("@")[0].lower() for address in envelope.rcpt_tos}
        if "slow" in locals_:
            await asyncio.sleep(SLOW_SECONDS)
        if "hangs-up" in locals_:
            cast(asyncio.Transport, server.transport).abort()
        if "rejected" in locals_:
            return "554 5.7.1 EXAMPLE the message is not wanted"
        content = envelope.original_content or b""
        kept = self._sink.keep(self._listener, envelope.mail_from or "", envelope.rcpt_tos, content)
        return f"250 2.0.0 EXAMPLE kept as {self._listener}/{kept.id}, delivered nowhere"


class Server(SMTP):
    """aiosmtpd's server without its limit on the length of a line, which real mail breaks."""

    line_length_limit = MAX_MESSAGE_BYTES


def server_for(sink: Sink, listener: str, hostname: str) -> Server:
    """Return the protocol of one connection."""
    return Server(
        Handler(sink, listener),
        hostname=hostname,
        ident="EXAMPLE sink, delivers nothing",
        data_size_limit=MAX_MESSAGE_BYTES,
        enable_SMTPUTF8=True,
        decode_data=False,
    )


async def serve(home: Home) -> None:
    """Keep mail until SIGTERM or SIGINT.

    Raises:
        Refused: the organisation is not an example.
        MunimentError: the policy file has mistakes, or an address is taken.
    """
    policy = load(home.policy_file)
    if not policy.example or policy.sink is None:
        raise Refused("the sink swallows mail and serves an example organisation only", clause="R-5.1-a")
    sink, servers, places = Sink(), [], []
    loop = asyncio.get_running_loop()
    for name, address in (("outside", policy.sink.listen), ("inside", policy.sink.inside_listen)):
        host, port = split_address(address) or ("", 0)
        hostname = f"{name}.{policy.gateway.hostname}"
        try:
            server = await loop.create_server(partial(server_for, sink, name, hostname), host, port)
        except OSError as error:
            raise Unavailable(f"the sink cannot listen on {address}: {error.strerror}") from error
        servers.append(server)
        places.append(f"{name}={host}:{server.sockets[0].getsockname()[1]}")
    servers.append(await serve_lines(home.run / SOCKET, sink.answer))
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    print(f"ready {' '.join(places)}", flush=True)
    await stopping.wait()
    for server in servers:
        server.close()
    (home.run / SOCKET).unlink(missing_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sink of the home named on the command line."""
    parser = argparse.ArgumentParser(
        prog="muniment.serve.sink", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args(argv).home.absolute())
    try:
        uvloop.run(serve(home))
    except MunimentError as error:
        print(f"muniment sink: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
