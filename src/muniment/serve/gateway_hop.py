"""The connection to the next hop: one for each client session, reused over its transactions.

A hop that cannot be reached, answers nonsense, hangs up or is too slow raises `HopLost`; the connection is then closed
and never used again, so nothing is delivered that was not ended with the final dot.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from muniment.guard.mail.smtp_client import (
    END_OF_CONTENT,
    ReplyReader,
    parse_extensions,
    stuffed,
)
from muniment.guard.mail.smtp_reply import Reply
from muniment.policy.gateway import HopTLS
from muniment.serve.gateway_settings import HopAddress, Limits, is_loopback


class HopLost(Exception):
    """The next hop cannot be used any more; `reply` is what the client hears."""

    def __init__(self, why: str, code: str = "4.4.1") -> None:
        super().__init__(why)
        self.reply = Reply.of(451, f"{code} {why}; nothing was delivered, try again later")


class Hop(asyncio.Protocol):
    """One connection; one question at a time, each of one or more commands."""

    def __init__(self, address: HopAddress, limits: Limits) -> None:
        self.address = address
        self.offers: dict[str, str] = {}
        self.is_tls = False
        self._is_near = False
        self.is_dirty = False  # a transaction was left open and needs RSET
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._reader = ReplyReader()
        self._transport: asyncio.Transport | None = None
        self._expected = 1  # replies to come: first the greeting
        self._replies: list[Reply] = []
        self._answered: asyncio.Future[list[Reply]] = self._loop.create_future()
        self._writable: asyncio.Future[None] | None = None
        self._lost: HopLost | None = None

    @classmethod
    async def connect(cls, address: HopAddress, hostname: str, limits: Limits) -> Hop:
        """Connect, say EHLO, and begin TLS as the settings say.

        Raises:
            HopLost: it is not there, or does not want to, or cannot speak TLS as required.
        """
        hop = cls(address, limits)
        try:
            async with asyncio.timeout(limits.connect_seconds):
                await hop._loop.create_connection(lambda: hop, address.host, address.port)
        except (OSError, TimeoutError):
            raise HopLost("the next hop does not answer") from None
        try:
            await hop._open(hostname)
        except BaseException:
            hop.close()
            raise
        return hop

    async def _open(self, hostname: str) -> None:
        greeting = (await self._await_replies(self._limits.reply_seconds))[0]
        if not greeting.is_positive:
            raise HopLost("the next hop takes no mail now")
        await self._hello(hostname)
        mode = self.address.tls
        if mode is not HopTLS.NONE and "STARTTLS" in self.offers:
            await self._start_tls()
            await self._hello(hostname)
        elif mode is HopTLS.REQUIRE:
            raise HopLost("the next hop does not offer TLS, which is required", "4.7.4")

    async def _hello(self, hostname: str) -> None:
        reply = (await self.ask(f"EHLO {hostname}\r\n".encode()))[0]
        if reply.is_positive:
            self.offers = parse_extensions(reply)
            return
        self.offers = {}
        if not (await self.ask(f"HELO {hostname}\r\n".encode()))[0].is_positive:
            raise HopLost("the next hop refuses this gateway's greeting")

    async def _start_tls(self) -> None:
        if not (await self.ask(b"STARTTLS\r\n"))[0].is_positive:
            if self.address.tls is HopTLS.REQUIRE:
                raise HopLost("the next hop refuses TLS, which is required", "4.7.4")
            return
        context = ssl.create_default_context()
        if self.address.tls is HopTLS.MAY:  # against listeners only: such a hop could as well offer no TLS
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        transport, self._transport = self._transport, None
        if transport is None:
            raise HopLost("the next hop hung up", "4.4.2")
        self._reader = ReplyReader()  # what came before TLS does not count
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                self._transport = await self._loop.start_tls(
                    transport, self, context, server_hostname=self.address.host
                )
        except (OSError, TimeoutError):
            raise HopLost("TLS with the next hop failed", "4.7.5") from None
        finally:
            if self._transport is None:
                transport.abort()
        self.is_tls = True

    @property
    def is_usable(self) -> bool:
        """Whether the connection still stands."""
        return self._lost is None and self._transport is not None and not self._transport.is_closing()

    @property
    def is_confidential(self) -> bool:
        """Whether nobody on a wire can listen: TLS is on, or the hop is on this machine."""
        return self.is_tls or self._is_near

    async def ask(self, *commands: bytes, seconds: float = 0) -> list[Reply]:
        """Send commands, in one go where the hop takes PIPELINING, and return their replies in order.

        Raises:
            HopLost: not all of them were answered in time.
        """
        seconds = seconds or self._limits.reply_seconds
        if len(commands) > 1 and "PIPELINING" not in self.offers:
            return [(await self.ask(command, seconds=seconds))[0] for command in commands]
        self._begin(len(commands))
        self._write(commands[0] if len(commands) == 1 else b"".join(commands))
        return await self._await_replies(seconds)

    async def send_content(self, content: bytes) -> Reply | None:
        """Say DATA and send everything but the final dot; return the refusal if DATA is refused.

        Raises:
            HopLost: it went away or took nothing for too long.
        """
        reply = (await self.ask(b"DATA\r\n"))[0]
        if reply.code != 354:
            return reply
        for block in stuffed(content):
            self._write(block)
            if self._writable is not None:
                await self._await_room()
        return None

    async def finish(self) -> Reply:
        """Send the final dot and return what the hop says to the message."""
        return (await self.ask(END_OF_CONTENT, seconds=self._limits.end_of_data_seconds))[0]

    def close(self) -> None:
        """Close at once, saying nothing; what was not ended is not delivered."""
        self._lose(HopLost("the connection to the next hop was closed"))

    def quit(self) -> None:
        """Take leave of a hop with which nothing is under way, and close when that has gone out."""
        if self.is_usable and self._transport is not None:
            self._lost = HopLost("the connection to the next hop was closed")
            self._transport.write(b"QUIT\r\n")
            self._transport.close()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._is_near = peer is not None and is_loopback(peer[0])

    def data_received(self, data: bytes) -> None:
        """Match replies to commands; one nobody asked for ends the connection."""
        for reply in self._reader.feed(data):
            if self._reader.is_broken or len(self._replies) >= self._expected:
                self._lose(HopLost("the next hop answered what is not SMTP", "4.4.2"))
                return
            self._replies.append(reply)
        if self._expected and len(self._replies) == self._expected and not self._answered.done():
            self._answered.set_result(self._replies)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits."""
        self._lose(HopLost("the next hop hung up", "4.4.2"))

    def pause_writing(self) -> None:
        """Remember that the hop takes no more at the moment."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let the sender go on."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # Inner parts

    def _begin(self, expected: int) -> None:
        if self._lost is not None:
            raise self._lost
        self._expected, self._replies = expected, []
        self._answered = self._loop.create_future()

    def _write(self, data: bytes) -> None:
        if self._lost is not None or self._transport is None:
            raise self._lost or HopLost("the next hop hung up", "4.4.2")
        self._transport.write(data)

    async def _await_replies(self, seconds: float) -> list[Reply]:
        timer = self._loop.call_later(seconds, self._lose, HopLost("the next hop is too slow", "4.4.2"))
        try:
            return await self._answered
        finally:
            timer.cancel()
            self._expected = 0

    async def _await_room(self) -> None:
        waiting = self._writable
        if waiting is None:
            return
        timer = self._loop.call_later(
            self._limits.reply_seconds, self._lose, HopLost("the next hop is too slow", "4.4.2")
        )
        try:
            await waiting
        finally:
            timer.cancel()

    def _lose(self, why: HopLost) -> None:
        if self._lost is not None:
            return
        self._lost = why
        if self._transport is not None:
            self._transport.abort()
        for future in (self._answered, self._writable):
            if future is not None and not future.done():
                future.set_exception(why)
                future.exception()  # whether anybody waits is not known here
