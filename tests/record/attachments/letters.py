"""Letters with attachments for tests."""

from __future__ import annotations

import base64
import random
import sys
from pathlib import Path

import msgspec

from muniment.record.entry import Capture, Direction, Entry
from muniment.record.home import Home
from tests.record.recording import mail, recording

REGISTER = random.Random(1).randbytes(9_000)
TIMETABLE = random.Random(2).randbytes(5_000)


def encoded(data: bytes, line: int = 76, ending: bytes = b"\r\n") -> bytes:
    """Return base64 in lines."""
    text = base64.b64encode(data)
    return ending.join(text[at : at + line] for at in range(0, len(text), line))


def letter(number: int, *attached: bytes) -> bytes:
    """Return a message with some attachments."""
    parts = [b"--b\r\nContent-Type: text/plain\r\n\r\nGood morning, as promised.\r\n"]
    head = b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    parts += [head + encoded(data) + b"\r\n" for data in attached]
    return (
        b"From: tomas@training.example\r\nTo: someone@outside.example\r\nSubject: Letter %d\r\n"
        b"Message-ID: <%d@training.example>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' % (number, number)
    ) + b"".join([*parts, b"--b--\r\n"])


def outbound(number: int, *attached: bytes, sent: bytes | None = None) -> Entry:
    """Return the entry of a letter that leaves."""
    return mail(number, content=letter(number, *attached), sent=sent)


def inbound(number: int, *attached: bytes) -> Entry:
    """Return the entry of a letter that a stranger sends."""
    return msgspec.structs.replace(outbound(number, *attached), direction=Direction.INBOUND)


def imported(number: int, *attached: bytes) -> Entry:
    """Return the entry of a letter of the past, whichever way it went."""
    return msgspec.structs.replace(inbound(number, *attached), capture=Capture.IMPORT)


def main() -> None:
    """Record letters with the same attachments for ever and print the number of each once acknowledged."""
    number = 0
    print("begin", flush=True)
    with recording(Home(Path(sys.argv[1]))) as record:
        while True:
            batch = range(number, number + 1 + number % 4)
            record.append([outbound(n, REGISTER, TIMETABLE) for n in batch])
            sys.stdout.write("".join(f"{n}\n" for n in batch))
            sys.stdout.flush()
            number += len(batch)
            if number % 5 == 0:
                record.tick()


if __name__ == "__main__":
    main()
