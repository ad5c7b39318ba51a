"""The recorder's process: one thread that writes, one that answers, one event loop that takes requests.

Requests that arrive while a batch is being flushed form the next batch, so that one flush serves many senders
(group commit). A checkpoint is published every second in which something was recorded, a heartbeat every minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from muniment.policy.errors import MunimentError, Refused, Unavailable
from muniment.record import wire
from muniment.record.backup.standing import OPERATIONS as BACKING_UP
from muniment.record.client import short_path
from muniment.record.entry import Entry, Receipt, Stream
from muniment.record.inquiry.answers import Inquiries
from muniment.record.keys.operations import OPERATIONS as TURNING
from muniment.record.opening import OpenRecord
from muniment.record.retention.operations import OPERATIONS as FORGETTING
from muniment.record.statement.reconciliation import Reconciliation, parse_reconciliation, statement_of
from muniment.record.witnessed.operations import OPERATIONS as WITNESSING

PUBLISH_SECONDS = 1.0
HEARTBEAT_SECONDS = 60.0
MAX_BATCH_ENTRIES = 256
_OWN_STREAMS = frozenset(
    {Stream.KEYS, Stream.HEALTH, Stream.RETENTION, Stream.POLICY, Stream.MAIL_ATTACHMENT}
)

_ACTS = {**BACKING_UP, **FORGETTING, **TURNING, **WITNESSING}  # done by the thread that writes


class RecorderServer:
    """Serves one open record on its socket."""

    def __init__(self, record: OpenRecord) -> None:
        self._record = record
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="inquiries")
        self._inquiries = Inquiries(record)
        self._queue: asyncio.Queue[tuple[tuple[Entry, ...], asyncio.Future[tuple[Receipt, ...]]]] = (
            asyncio.Queue()
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._problem = ""

    async def start(self) -> None:
        """Listen; the socket is the owner's alone."""
        path = self._record.home.socket
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)
        with short_path(path) as name:
            self._server = await asyncio.start_unix_server(self._connect, name, limit=1 << 20)
        path.chmod(0o600)
        self._tasks = [
            asyncio.create_task(task) for task in (self._write_batches(), self._publish(), self._beat())
        ]

    async def stop(self) -> None:
        """Take no more, finish what is queued, publish, and end every epoch."""
        if self._server is not None:
            self._server.close()
        while not self._queue.empty():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)  # a connection just accepted becomes one of ours
        writers = list(self._connections.values())
        tasks = [*self._tasks, *self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
        self._beside.shutdown()
        self._inquiries.close()
        await self._in_thread(self._record.close)
        self._thread.shutdown()
        self._record.home.socket.unlink(missing_ok=True)

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; it is closed when its task ends, even one that ends before its first step."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(self._disconnect)

    def _disconnect(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task).close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer in the order asked; appends of one connection overlap, so replies are sent by a task of their own."""
        replies: asyncio.Queue[asyncio.Future[wire.Reply]] = asyncio.Queue(1024)
        sender = asyncio.create_task(self._send(replies, writer))
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(wire.LENGTH_BYTES), "big")
                if length > wire.MAX_MESSAGE_BYTES:
                    return
                data = await reader.readexactly(length)
                await replies.put(asyncio.ensure_future(self._reply(data)))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the sender went away
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await sender

    async def _send(
        self, replies: asyncio.Queue[asyncio.Future[wire.Reply]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            writer.write(wire.frame(await (await replies.get())))
            await writer.drain()

    async def _reply(self, data: bytes) -> wire.Reply:
        try:
            request = wire.parse_request(data)
            if request.operation == "append":
                _require_foreign(request.entries)
                return wire.Reply(receipts=await self._append(request.entries))
            if request.operation == "reconciled":
                return await self._state(parse_reconciliation(request.arguments))
            if inquiry := self._inquiries.answer(request.operation):
                return wire.Reply(value=await self._ask_beside(partial(inquiry, request.arguments)))
            if act := _ACTS.get(request.operation):
                return wire.Reply(value=await self._in_thread(partial(act, self._record, request.arguments)))
            return wire.Reply(value=await self._in_thread(self._operation(request.operation)))
        except MunimentError as error:
            return wire.reply_of(error)
        except Exception as error:
            return wire.reply_of(Unavailable(f"the recorder failed: {type(error).__name__}: {error}"))

    async def _state(self, found: Reconciliation) -> wire.Reply:
        """Record a comparison with a mail server's log, and sign a checkpoint over the entry."""
        receipts = await self._append((statement_of(found, self._record.record.size),))
        return wire.Reply(
            receipts=receipts, value={"checkpoint": await self._in_thread(self._record.publish)}
        )

    async def _ask_beside(self, inquiry: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """Answer without holding up the thread that writes, which is asked for the record's time alone."""
        now_ms = await self._in_thread(self._record.record.now_ms)
        return await asyncio.get_running_loop().run_in_executor(self._beside, inquiry, now_ms)

    def _operation(self, name: str) -> Callable[[], dict[str, Any]]:
        if name == "status":
            return lambda: self._record.status([self._problem] if self._problem else [])
        if name == "checkpoint":
            return lambda: {"checkpoint": self._record.checkpoint()}
        if name == "publish":
            return lambda: {"checkpoint": self._record.publish()}
        raise Unavailable(f"the recorder does not know the operation {name!r}")

    async def _append(self, entries: tuple[Entry, ...]) -> tuple[Receipt, ...]:
        future: asyncio.Future[tuple[Receipt, ...]] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((entries, future))
        return await future

    async def _write_batches(self) -> None:
        while True:
            waiting = [await self._queue.get()]
            count = len(waiting[0][0])
            while not self._queue.empty() and count < MAX_BATCH_ENTRIES:
                waiting.append(self._queue.get_nowait())
                count += len(waiting[-1][0])
            entries = [entry for group, _ in waiting for entry in group]
            try:
                receipts = await self._in_thread(partial(self._record.append, entries))
            except Exception as error:
                failure = (
                    error
                    if isinstance(error, MunimentError)
                    else Unavailable(f"the recorder failed: {error}")
                )
                self._problem = str(failure)
                for _, future in waiting:
                    if not future.done():
                        future.set_exception(failure)
                continue
            self._problem = ""
            at = 0
            for group, future in waiting:
                if not future.done():
                    future.set_result(tuple(receipts[at : at + len(group)]))
                at += len(group)

    async def _publish(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_SECONDS)
            try:
                await self._in_thread(self._record.tick)
            except MunimentError as error:
                self._problem = str(error)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(MunimentError):
                await self._append((await self._in_thread(self._record.heartbeat),))


def _require_foreign(entries: Sequence[Entry]) -> None:
    """Return when none of the entries claims to be the record's own word on its keys, health, expiry or policy.

    Raises:
        Refused: one does; whoever could write an officer set could pass as an officer.
    """
    for entry in entries:
        if entry.stream in _OWN_STREAMS:
            raise Refused(
                f"the stream {entry.stream.name.lower()} is written by the recorder itself; nothing of this batch is "
                "recorded. Use the stream of what you report",
                clause="R-2.1-b",
            )
