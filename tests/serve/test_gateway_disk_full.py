"""A full disk under the running recorder: senders keep their mail, and all goes on when there is room again. R-5.1-a.

A disk of a few megabytes where the machine lets one be mounted, and a limit on the size of files everywhere.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from muniment.record.entry import Stream

from .hop import Hop
from .house import House, house
from .ports import free_port
from .talk import Talk, until

TUTOR, OUTSIDER = "tomas@training.example", "someone@outside.example"
DISK_BYTES = 48 << 20
Change = Callable[[], None]
pytestmark = pytest.mark.xdist_group("gateway-disk-full")


def letter(number: int) -> bytes:
    """Return a message of 300 KB that cannot be packed."""
    lines = b"".join(os.urandom(375).hex().encode() + b"\r\n" for _ in range(400))
    return b"Subject: %d\r\n\r\n" % number + lines


@contextmanager
def small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="muniment-disk-") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def can_mount() -> bool:
    try:
        with small_disk():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def fill_disk(running: House) -> tuple[Change, Change]:
    """Return what fills the disk and what makes room on it."""
    ballast = running.home.path.parent / "ballast"

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(4096))

    return fill, ballast.unlink


def limit_files(running: House) -> tuple[Change, Change]:
    """Return what forbids the recorder to let any file grow and what allows it again."""
    process = running.processes["recorder"].popen.pid
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    return (
        lambda: (resource.prlimit(process, resource.RLIMIT_FSIZE, (1, before[1])), None)[1],
        lambda: (resource.prlimit(process, resource.RLIMIT_FSIZE, before), None)[1],
    )


@contextmanager
def plain_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="muniment-disk-") as name:
        yield Path(name)


WAYS = [pytest.param(plain_folder, limit_files, id="limit")]
if can_mount():
    WAYS.append(pytest.param(small_disk, fill_disk, id="disk"))


@pytest.mark.parametrize(("folder", "way"), WAYS)
def test_a_full_disk_means_try_later_and_mail_flows_again_when_there_is_room(folder, way) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    with (
        folder() as path,
        Hop(port) as hop,
        house(
            path, "recorder", "gateway", gateway__outbound_hop=address, gateway__inbound_hop=address
        ) as running,
    ):
        taken, waiting = [letter(0), letter(1)], [letter(number) for number in range(2, 8)]
        fill, make_room = way(running)
        for content in taken:
            assert deliver(running, content).startswith(b"250 ")
        for _ in range(2):
            fill()
            for content in waiting:
                assert deliver(running, content).startswith(
                    b"451 4.3.0 the record cannot take the message now"
                )
            assert len(hop.messages) == len(taken)
            assert running.processes["recorder"].popen.poll() is None
            make_room()
            for content in waiting:
                assert until(lambda content=content: deliver(running, content).startswith(b"250 "))
            taken += waiting
            waiting = [letter(number) for number in range(10, 14)]
        recorded = [opened.content for opened in running.entries(Stream.MAIL_GATEWAY)]
        assert sorted(set(recorded)) == sorted(taken)
        assert len(hop.messages) == len(taken)


def deliver(running: House, content: bytes) -> bytes:
    with Talk(running.ports["outside"]) as talk:
        return talk.deliver(OUTSIDER, [TUTOR], content)
