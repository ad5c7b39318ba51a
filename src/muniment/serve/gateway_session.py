"""One client's session at a door of the gateway: the state machine on one side, the next hop on the other.

For a message that passes:

1. MAIL and each RCPT go to the next hop as they come; its answers pass back unchanged.
2. DATA is answered here; the message is read to its end, classified and judged.
3. The entry goes to the recorder; meanwhile the next hop hears DATA and everything but the final dot.
4. With the receipt in hand the hop gets the final dot. Without it the hop's connection is closed: nothing is delivered.
5. The hop's answer is recorded as the outcome and passed back, with the receipt's number when it is 250.

Source: R-5.1-a (recorded before it is acknowledged), R-2.2-b (the particulars), DESIGN "Gateway = pass-through".
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, cast

from muniment.guard.mail import smtp_reply as replies
from muniment.guard.mail.auth_name import AuthName
from muniment.guard.mail.direction import Door
from muniment.guard.mail.smtp_client import size_limit
from muniment.guard.mail.smtp_command import Mail, Recipient
from muniment.guard.mail.smtp_event import Auth, DataBegin, Goodbye, Hello, Message, Reset, StartTls
from muniment.guard.mail.smtp_reply import Reply
from muniment.guard.mail.smtp_server import SmtpServer
from muniment.serve.gateway_hop import HopLost
from muniment.serve.gateway_settings import Listener
from muniment.serve.gateway_state import GatewayState
from muniment.serve.gateway_transaction import Client, Transactions

_IDLE = Reply.of(421, "4.4.2 nothing was heard for too long")
_STOPPING = Reply.of(421, "4.3.2 the gateway is stopping; try again later")
_FAILED = Reply.of(421, "4.3.0 the gateway failed; try again later")
_GO_AHEAD = replies.GO_AHEAD


class Session(asyncio.Protocol):
    """One client's connection; its task handles one event after another."""

    _task: asyncio.Task[None]
    _transport: asyncio.Transport  # these four are set when the connection is made
    _transactions: Transactions
    _timer: asyncio.TimerHandle

    def __init__(self, state: GatewayState, listener: Listener) -> None:
        self._state, self._listener = state, listener
        self._loop = asyncio.get_running_loop()
        self.server = SmtpServer(state.settings.hostname, state.settings.max_message_bytes)
        self._wake: asyncio.Future[None] | None = None
        self._heard = self._loop.time()
        self._is_lost = self._is_paused = False
        self._secured: list[bytes] | None = None  # what TLS delivers before start_tls has returned
        self._auth_name = AuthName()
        self._is_signing_in = False
        self._handlers: dict[type, Callable[[Any], Awaitable[None]]] = {
            Hello: self._hello,
            Mail: self._envelope,
            Recipient: self._envelope,
            DataBegin: self._data,
            Message: self._message,
            Reset: self._reset,
            StartTls: self._start_tls,
            Auth: self._auth,
            Goodbye: self._goodbye,
        }

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the client and begin."""
        self._transport = cast(asyncio.Transport, transport)
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]  # none when it is gone already
        self._transactions = Transactions(self._state, self._listener, Client(host, port))
        self._state.counters["sessions"] += 1
        self.server.start("EXAMPLE" if self._state.settings.is_example else "")
        self._task = self._loop.create_task(self._run())
        self._state.sessions[self._task] = self._wake_up
        self._timer = self._loop.call_later(self._state.settings.limits.client_seconds, self._look_at_clock)

    def data_received(self, data: bytes) -> None:
        """Feed the state machine, within the memory there is."""
        self._heard = self._loop.time()
        if self._secured is not None:
            self._secured.append(data)
            return
        server = self.server
        server.feed(data)
        if server.is_reading_message:
            if not self._transactions.hold(server.held_bytes):
                server.overload()
        elif server.held_bytes > self._state.settings.limits.reading_ahead_bytes:
            self._pause()
        self._wake_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the task end after what it is doing."""
        self._is_lost = True
        self._wake_up()

    def pause_writing(self) -> None:
        """Read nothing while the client does not take our replies."""
        self._pause()

    def resume_writing(self) -> None:
        """Read on."""
        self._resume()

    # The task

    async def _run(self) -> None:
        try:
            while not self._is_lost:
                event = self.server.next_event()
                if event is not None:
                    await self._handlers[type(event)](event)
                    continue
                self._flush()
                if self.server.is_closed:
                    break
                if self._state.is_stopping:
                    self.server.end(_STOPPING)
                    continue
                await self._more()
        except asyncio.CancelledError:
            self.server.end(_STOPPING)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self._state.counters["failures"] += 1
            self.server.end(_FAILED)
        finally:
            self._end()

    def _end(self) -> None:
        self._timer.cancel()
        self._transactions.close()
        self._state.sessions.pop(self._task, None)
        self._flush()
        self._transport.close()

    async def _more(self) -> None:
        """Wait until bytes come, the client is gone, or the session is told to end."""
        self._resume()
        self._wake = self._loop.create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _look_at_clock(self) -> None:
        limit = self._state.settings.limits.client_seconds
        silent = self._loop.time() - self._heard
        if silent >= limit and self._wake is not None:
            self.server.end(_IDLE)
            self._wake_up()
        else:
            self._timer = self._loop.call_later(max(limit - silent, 1.0), self._look_at_clock)

    def _flush(self) -> None:
        output = self.server.take_output()
        if output and not self._is_lost:
            self._transport.write(output)

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()

    # One handler an event

    async def _hello(self, event: Hello) -> None:
        transactions = self._transactions
        transactions.reset()
        transactions.client.helo = event.name
        offers = await transactions.hop_offers() if event.is_extended else None
        self.server.greet(self._extensions(offers))

    def _extensions(self, offers: dict[str, str] | None) -> list[str]:
        """Return what this door offers: no more than the next hop, as far as that is known."""
        server = self.server
        size_bytes = min(server.max_message_bytes, size_limit(offers or {}) or server.max_message_bytes)
        found = ["PIPELINING", f"SIZE {size_bytes}", "ENHANCEDSTATUSCODES"]
        found += [word for word in ("8BITMIME", "SMTPUTF8") if offers is None or word in offers]
        if self._state.settings.tls is not None and not server.is_tls:
            found.append("STARTTLS")
        if offers and offers.get("AUTH") and self._may_sign_in:
            found.append(f"AUTH {offers['AUTH']}")
        return found

    @property
    def _may_sign_in(self) -> bool:
        """Whether a password may pass: at the inside door only, and never where a wire could be listened to."""
        is_private = self.server.is_tls or self._transactions.client.is_loopback
        return self._listener.door is Door.INSIDE and is_private

    async def _envelope(self, first: Mail | Recipient) -> None:
        """Ask the next hop about MAIL and the RCPTs that were pipelined behind it, in one go."""
        batch: list[Mail | Recipient] = [first]
        while (event := self.server.next_event()) is not None:
            batch.append(cast(Recipient, event))  # nothing else comes while replies are awaited
        for reply in await self._transactions.envelope(batch):
            self.server.reply(reply)

    async def _data(self, _event: DataBegin) -> None:
        refusal = self._transactions.refuse_data()
        self.server.reply(refusal or _GO_AHEAD)

    async def _message(self, message: Message) -> None:
        transactions = self._transactions
        transactions.client.is_tls = self.server.is_tls
        self.server.reply(await transactions.message(message))

    async def _reset(self, _event: Reset) -> None:
        self._transactions.reset()

    async def _goodbye(self, _event: Goodbye) -> None:
        self._transactions.reset()

    async def _start_tls(self, _event: StartTls) -> None:
        """Begin TLS. Nothing is awaited between the last look at clear text and the moment TLS takes over."""
        self._transactions.sign_out()
        context = self._state.settings.tls
        if context is None:
            return
        self._flush()
        self._resume()
        self._secured = []
        try:
            transport = await self._loop.start_tls(
                self._transport, self, context, server_side=True, ssl_handshake_timeout=30.0
            )
        except (OSError, ssl.SSLError):
            self._is_lost = True
            return
        self._transport = cast(asyncio.Transport, transport)
        early, self._secured = b"".join(self._secured), None
        self.server.tls_started()
        self.server.feed(early)

    async def _auth(self, event: Auth) -> None:
        """Pass a line of authentication to the next hop, and its answer back."""
        transactions = self._transactions
        begins = not self._is_signing_in
        if begins:
            self._auth_name = AuthName()
        self._auth_name.hear(event.line)
        try:
            reply = await transactions.pass_line(event.line, begins)
        except HopLost as lost:
            reply = lost.reply
        self._is_signing_in = reply.code == 334
        if reply.code == 235:
            transactions.signed_in(self._auth_name.name)
        self.server.reply(reply)
