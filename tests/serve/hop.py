"""A next hop that misbehaves as the recipient's local part says, and remembers what it was given.

dies-at-rcpt@  hangs up at RCPT             mute-at-rcpt@  never answers RCPT
garbage@       answers RCPT with nonsense   two-codes@     answers RCPT with two codes in one reply
no-data@       554 to DATA                  dies-at-data@  hangs up at DATA
dies-at-dot@   hangs up at the final dot    mute-at-dot@   never answers the final dot
strange@       354 to the final dot         many-lines@    250 of three lines to the final dot
going@         421 to RCPT
"""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import ClassVar

ANSWERS = {
    "garbage": b"\x00\xff hello\r\n",
    "two-codes": b"250-5.1.1 a\r\n550 5.1.1 b\r\n",
    "going": b"421 4.3.2 going away\r\n",
}
FINAL = {
    "strange": b"354 what?\r\n",
    "many-lines": b"250-2.0.0 one\r\n250-2.0.0 two\r\n250 2.0.0 three\r\n",
}


class _Handler(socketserver.StreamRequestHandler):
    server: Hop
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.local = ""
        try:
            self.wfile.write(self.server.greeting)
            while line := self.rfile.readline():
                self.server.commands.append(line)
                if not self._command(line.strip()):
                    return
        except OSError:
            return

    def _command(self, line: bytes) -> bool:
        verb = line[:4].upper()
        if verb == b"EHLO":
            self.wfile.write(b"250-hop.example\r\n" + self.server.offers)
        elif verb == b"RCPT":
            self.local = line.partition(b"<")[2].partition(b"@")[0].decode()
            return self._recipient()
        elif verb == b"DATA":
            return self._data()
        else:
            self.wfile.write(b"250 2.0.0 fine\r\n")
        return verb != b"QUIT"

    def _recipient(self) -> bool:
        if self.local == "dies-at-rcpt":
            return False
        if self.local == "mute-at-rcpt":
            self.server.release.wait(60)
            return False
        self.wfile.write(ANSWERS.get(self.local, b"250 2.1.5 fine\r\n"))
        return True

    def _data(self) -> bool:
        if self.local == "dies-at-data":
            return False
        if self.local == "no-data":
            self.wfile.write(b"554 5.5.0 not now\r\n")
            return True
        self.wfile.write(b"354 go on\r\n")
        content = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                self.server.unfinished += 1
                return False
            content.append(line)
        self.server.messages.append(b"".join(content))
        if self.local == "mute-at-dot":
            self.server.release.wait(60)
            return False
        if self.local == "dies-at-dot":
            return False
        self.wfile.write(FINAL.get(self.local, b"250 2.0.0 got it\r\n"))
        return True


class Hop(socketserver.ThreadingTCPServer):
    """Runs in threads of its own while the block lasts."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 100
    DEFAULT_OFFERS: ClassVar[bytes] = b"250-PIPELINING\r\n250 8BITMIME\r\n"

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.greeting, self.offers = b"220 hop.example ESMTP\r\n", self.DEFAULT_OFFERS
        self.messages: list[bytes] = []
        self.commands: list[bytes] = []
        self.unfinished = 0
        self.release = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Hop:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
