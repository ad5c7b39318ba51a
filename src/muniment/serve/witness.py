"""The witness's process: an HTTP service that cosigns what continues what it saw, and remembers what does not.

It belongs to somebody outside the organisation it watches, knows nothing of any home, and learns of a record its
name, size and root alone.

    POST /add-checkpoint         C2SP tlog-witness
    GET  /HASH/checkpoint        the last cosigned checkpoint of a log, HASH = SHA-256 of its origin in hex
    GET  /                       a page for people
    GET  /refused/N              a refused checkpoint beside the one it was held against, as text

Order of `add-checkpoint`: judge, sign, store, answer. What is not stored is not answered.
Source: C2SP tlog-witness; R-2.1-b.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muniment.policy.errors import Conflict, MunimentError
from muniment.record.ledger.note import Note, parse_note
from muniment.record.ledger.witness import Refusal, judge, origin_in
from muniment.record.ledger.witnessing import MAX_SUBMISSION_BYTES, origin_hash
from muniment.serve.witness_book import Book
from muniment.serve.witness_key import Cosigner, load_keys
from muniment.serve.witness_page import POLICY, evidence, page

BODY_SECONDS = 10.0
HEADER_MS = 10_000
MOST_AT_ONCE = 64
_PAUSE_SECONDS = 0.02
_TEXT = "text/plain; charset=utf-8"
_CHECKPOINT = re.compile("/([0-9a-f]{64})/checkpoint")
_REFUSED = re.compile("/refused/([0-9]{1,9})")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: str
    kind: str = _TEXT


class Witness:
    """Answers for one folder; one request at a time touches the book."""

    def __init__(self, folder: Path, clock: Callable[[], int] = lambda: int(time.time())) -> None:
        self.clock = clock
        self.cosigners: list[Cosigner] = load_keys(folder, clock)
        self.book = Book(folder)

    def add_checkpoint(self, body: bytes) -> Reply:
        """Cosign a checkpoint that continues the last one, or say why not."""
        while True:
            try:
                return self._add(body)
            except Conflict:
                continue  # somebody else's was stored meanwhile
            except Refusal as refusal:
                seen = self.book.last(refusal.origin) if refusal.doubt else None
                if seen is not None:
                    self.book.keep(refusal, seen, self.clock())
                return Reply(refusal.status, refusal.body, refusal.kind)

    def _add(self, body: bytes) -> Reply:
        accepted = judge(body, self.book.keys(), self.book.last(origin_in(body)))
        signed = parse_note(accepted.note)
        ours = tuple(cosigner.sign(signed.text) for cosigner in self.cosigners)
        note = Note(signed.text, signed.signatures + ours).to_bytes()
        self.book.replace(accepted, note, self.clock())
        return Reply(200, "".join(signature.line() for signature in ours))

    def get(self, path: str) -> Reply:
        """Return what is shown at a path."""
        if path == "/":
            vkeys = [str(cosigner.key) for cosigner in self.cosigners]
            return Reply(200, page(vkeys, self.book.states(), self.book.doubts()), "text/html; charset=utf-8")
        if found := _CHECKPOINT.fullmatch(path):
            for state in self.book.states():
                if state.seen is not None and origin_hash(state.origin) == found[1]:
                    return Reply(200, state.seen.note.decode())
        if found := _REFUSED.fullmatch(path):
            for refused in self.book.doubts():
                if refused.id == int(found[1]):
                    return Reply(200, evidence(refused))
        return Reply(404, "nothing is here\n")


class Application:
    """The ASGI face of a witness: limits on what a stranger may send, and nothing of HTTP beyond that."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await _send(send, await self._answer(scope, receive), with_body=scope["method"] != "HEAD")

    async def _answer(self, scope: Message, receive: Receive) -> Reply:
        method, path = scope["method"], scope["path"]
        try:
            if path == "/add-checkpoint":
                if method != "POST":
                    return Reply(405, "POST a checkpoint here\n")
                return self._witness.add_checkpoint(await _body(receive))
            if method not in ("GET", "HEAD"):
                return Reply(405, "this can only be read\n")
            return self._witness.get(path)
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body, refusal.kind)
        except MunimentError as error:
            print(f"muniment witness: {error}", file=sys.stderr, flush=True)
            return Reply(error.http_status, "the witness cannot answer now\n")

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive) -> bytes:
    """Return a request's body. Raises: Refusal when it is too long, too slow or cut off."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refusal(400, "the request was cut off")
                body += message.get("body", b"")
                if len(body) > MAX_SUBMISSION_BYTES:
                    raise Refusal(413, f"a submission has {MAX_SUBMISSION_BYTES} bytes at most")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise Refusal(408, "the request took too long") from None


async def _send(send: Send, reply: Reply, *, with_body: bool) -> None:
    body = reply.body.encode()
    headers = [
        (b"content-type", reply.kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", POLICY.encode()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})


def run(folder: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises: Missing, BadInput, Unavailable when the folder holds no witness that can be used.
    """
    witness = Witness(folder)
    try:
        asyncio.run(_serve(witness, host, port))
    finally:
        witness.book.close()


async def _serve(witness: Witness, host: str, port: int) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.embed import Server

    server = Server(
        Application(witness),
        address=host.strip("[]"),
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backpressure=MOST_AT_ONCE,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS, max_buffer_size=MAX_SUBMISSION_BYTES),
        log_access=False,
        log_level=LogLevels.error,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    saying = asyncio.create_task(_say_ready(host.strip("[]"), port))
    await server.serve()
    saying.cancel()


async def _say_ready(host: str, port: int) -> None:
    """Say `ready` once a connection is taken: the server listens a moment after it has started."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name to compare
    while True:
        try:
            _, writer = await asyncio.open_connection(reached, port)
        except OSError:
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        writer.close()
        print(f"ready http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)
        return
