"""Clients of the recorder's socket, for daemons (`AsyncRecorder`) and for commands and the console (`Recorder`).

`append` returns only when the entries are flushed. Concurrent appends of one client travel together.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from muniment.policy.errors import Unavailable
from muniment.record import chain, wire
from muniment.record.entry import Entry, Receipt
from muniment.record.inquiry.listing import Listed, Listing
from muniment.record.inquiry.pages import Releasing
from muniment.record.inquiry.passing import MOST_NUMBERS, Passed, PassedPage
from muniment.record.selection import Query, Selected
from muniment.record.statement.reconciliation import Reconciliation

TIMEOUT_SECONDS = 60.0
_MAX_SOCKET_PATH = 100
BATCH_BYTES = 8 << 20


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a name of `path` that fits a socket address, which holds 107 bytes."""
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        yield str(path)
        return
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        raise _not_reached(path, error) from error
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _not_reached(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"the recorder does not answer at {path}: {error.strerror or error}; start it with `muniment up`"
    )


class Recorder:
    """A blocking client; one question at a time."""

    def __init__(self, path: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_seconds)
        try:
            with short_path(path) as name:
                self._socket.connect(name)
        except OSError as error:
            self._socket.close()
            raise _not_reached(path, error) from error

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Record entries; see `Record.append`. An entry above 16 MiB is recorded as a chain.

        Raises:
            Unavailable: nothing may be acknowledged.
        """
        receipts: list[Receipt] = []
        for group in groups(entries):
            if chain.needs_chain(group[0]):
                blobs = tuple(
                    self._ask("append", (piece,)).receipts[0].index for piece in chain.pieces(group[0])
                )
                group = [chain.head(group[0], blobs)]
            receipts.extend(self._ask("append", tuple(group)).receipts)
        return receipts

    def status(self) -> dict[str, Any]:
        """Return the state of the record."""
        return self._ask("status").value

    def checkpoint(self) -> str:
        """Return the newest signed checkpoint."""
        return str(self._ask("checkpoint").value["checkpoint"])

    def publish(self) -> str:
        """Have a checkpoint signed over everything recorded so far and return it."""
        return str(self._ask("publish").value["checkpoint"])

    def do(self, operation: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have the recorder do an act and return its answer; both stand in docs/formats/recorder-socket.md."""
        return self._ask(operation, arguments=arguments).value

    def cosign(self, checkpoint: str, signatures: str, disputes: dict[str, str]) -> dict[str, Any]:
        """Hand over what witnesses said of a checkpoint; return who has cosigned it and whether that is enough.

        Raises: Tampered when a cosignature does not fit, or the ledger does not continue the checkpoint.
        """
        arguments = {"checkpoint": checkpoint, "signatures": signatures, "disputes": disputes}
        return self._ask("cosign", arguments=arguments).value

    def anchor(self, **anchor: str) -> bool:
        """Have it recorded that a checkpoint was mailed; return False when it was recorded before."""
        return bool(self._ask("anchor", arguments=anchor).value["recorded"])

    def anchors(self) -> list[dict[str, str]]:
        """Return the anchors of the last forty days, oldest first."""
        return list(self._ask("anchors").value["anchors"])

    def select(self, query: Query) -> Selected:
        """Return which entries a permit over `query` would open, on the newest checkpoint or below `query.size`.

        Raises:
            BadInput: a stream is unknown, the record was never so long, or too much fits.
        """
        return msgspec.convert(self._ask("select", arguments=msgspec.to_builtins(query)).value, Selected)

    def listing(self, listing: Listing) -> Listed:
        """Return which entries mention an address, the newest first: numbers, times and sizes."""
        return msgspec.convert(self._ask("listing", arguments=msgspec.to_builtins(listing)).value, Listed)

    def present(self, numbers: Sequence[str]) -> dict[str, Passed]:
        """Return, by number, which of these messages are in the record; the numbers of the others are left out."""
        rows: list[Passed] = []
        ordered = sorted(
            set(numbers), key=lambda number: (len(number), number)
        )  # so that a page lies close together
        for at in range(0, len(ordered), MOST_NUMBERS):
            arguments = {"numbers": ordered[at : at + MOST_NUMBERS]}
            rows += msgspec.convert(self._ask("presence", arguments=arguments).value, PassedPage).rows
        return {row.number: row for row in rows}

    def passing(self, from_ms: int, until_ms: int) -> Iterator[Passed]:
        """Yield what passed the gateway or came to its journal within a time, in the order of the ledger."""
        start: int | None = 0
        while start is not None:
            arguments = {"from_ms": from_ms, "until_ms": until_ms, "start": start}
            page = msgspec.convert(self._ask("passing", arguments=arguments).value, PassedPage)
            yield from page.rows
            start = page.following

    def state(self, found: Reconciliation) -> tuple[Receipt, str]:
        """Have the recorder state a comparison; return the entry's receipt and the checkpoint that signs it."""
        reply = self._ask("reconciled", arguments=msgspec.to_builtins(found))
        return reply.receipts[0], str(reply.value["checkpoint"])

    def release(self, request: str, approval: str, signature: bytes, selection: bytes) -> Releasing:
        """Return the recorder's share of the entries of an approved permit; `request` and `approval` are exact texts.

        The first page is asked for at once, each further one as it is needed, and the rules are asked each time.
        Raises:
            BadInput: a text is none of a permit. Refused: a rule says no, with its clause.
        """
        return Releasing(partial(self._ask, "release"), request, approval, signature, selection)

    def _ask(
        self, operation: str, entries: tuple[Entry, ...] = (), arguments: dict[str, Any] | None = None
    ) -> wire.Reply:
        try:
            self._socket.sendall(wire.frame(wire.Request(operation, entries, arguments or {})))
            length = int.from_bytes(self._read(wire.LENGTH_BYTES), "big")
            return wire.parse_reply(self._read(length))
        except OSError as error:
            raise _not_reached(self._path, error) from error

    def _read(self, length: int) -> bytes:
        parts, missing = [], length
        while missing:
            part = self._socket.recv(min(missing, 1 << 20))
            if not part:
                raise Unavailable(
                    "the recorder closed the connection; nothing may be acknowledged; try again"
                )
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def groups(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield runs of entries that travel together: below 8 MiB, a long one on its own."""
    run: list[Entry] = []
    size = 0
    for entry in entries:
        length = len(entry.content) + len(entry.sent or b"")
        if run and (size + length > BATCH_BYTES or chain.needs_chain(entry)):
            yield run
            run, size = [], 0
        run.append(entry)
        size += length
        if chain.needs_chain(entry):
            yield run
            run, size = [], 0
    if run:
        yield run


class AsyncRecorder:
    """An asyncio client; any number of tasks may append at once."""

    def __init__(self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path, self._reader, self._writer = path, reader, writer
        self._waiting: asyncio.Queue[asyncio.Future[wire.Reply]] = asyncio.Queue()
        self._failure: Unavailable | None = None
        self._receiver = asyncio.create_task(self._receive())

    @classmethod
    async def connect(cls, path: Path) -> AsyncRecorder:
        """Connect to the recorder.

        Raises:
            Unavailable: it does not answer.
        """
        try:
            with short_path(path) as name:
                reader, writer = await asyncio.open_unix_connection(name, limit=1 << 20)
        except OSError as error:
            raise _not_reached(path, error) from error
        return cls(path, reader, writer)

    @property
    def is_usable(self) -> bool:
        """Tell whether the connection stands; when not, connect again."""
        return self._failure is None

    async def close(self) -> None:
        """Close the connection; what is under way fails as unavailable."""
        self._fail(Unavailable("the connection to the recorder was closed; nothing may be acknowledged"))
        self._receiver.cancel()
        with suppress(asyncio.CancelledError):
            await self._receiver

    async def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Record entries; see `Record.append`. An entry above 16 MiB is recorded as a chain.

        Raises:
            Unavailable: nothing may be acknowledged.
        """
        receipts: list[Receipt] = []
        for group in groups(entries):
            if chain.needs_chain(group[0]):
                blobs = [await self._append_some((piece,)) for piece in chain.pieces(group[0])]
                group = [chain.head(group[0], tuple(found[0].index for found in blobs))]
            receipts.extend(await self._append_some(tuple(group)))
        return receipts

    async def status(self) -> dict[str, Any]:
        """Return the state of the record."""
        return (await self._ask("status", ())).value

    async def checkpoint(self) -> str:
        """Return the newest signed checkpoint."""
        return str((await self._ask("checkpoint", ())).value["checkpoint"])

    async def _append_some(self, entries: tuple[Entry, ...]) -> tuple[Receipt, ...]:
        return (await self._ask("append", entries)).receipts

    def _ask(self, operation: str, entries: tuple[Entry, ...]) -> asyncio.Future[wire.Reply]:
        future: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            future.set_exception(Unavailable(str(self._failure)))
            return future
        data = wire.frame(wire.Request(operation, entries))
        try:
            self._writer.write(data)
        except (OSError, RuntimeError):  # closed by the other side, which the receiver is yet to hear
            self._fail(_not_reached(self._path, OSError("it closed the connection")))
            future.set_exception(Unavailable(str(self._failure)))
            return future
        self._waiting.put_nowait(future)
        return future

    async def _receive(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(wire.LENGTH_BYTES)
                data = await self._reader.readexactly(int.from_bytes(head, "big"))
                self._answer(self._waiting.get_nowait(), data)
        except (OSError, asyncio.IncompleteReadError) as error:
            cause = (
                OSError("it closed the connection")
                if isinstance(error, asyncio.IncompleteReadError)
                else error
            )
            self._fail(_not_reached(self._path, cause))

    def _answer(self, future: asyncio.Future[wire.Reply], data: bytes) -> None:
        if future.done():
            return
        try:
            future.set_result(wire.parse_reply(data))
        except Exception as error:
            future.set_exception(error)

    def _fail(self, failure: Unavailable) -> None:
        if self._failure is not None:
            return
        self._failure = failure
        self._writer.close()
        while not self._waiting.empty():
            future = self._waiting.get_nowait()
            if not future.done():
                future.set_exception(Unavailable(str(failure)))
