"""A room's process: `python -m muniment.serve.room HOME NUMBER-REVISION [--detach]`.

It keeps what it opens in its own memory: no core dump, not to be traced, memory locked where the machine allows; no
network and no writing but in the room's folder (`answer.confinement`), for its children too. It ends by itself when
the permit does, after eight hours without a question, and when the recorder has been gone for five minutes.

`--detach` leaves the process running behind and returns once it listens. Source: docs/formats/room-socket.md; R-5.3-k.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from muniment.answer.confinement import confine
from muniment.answer.look import LookBook
from muniment.answer.room_acts import RoomActs
from muniment.answer.room_open import RoomFiles
from muniment.answer.room_server import RoomServer, listen
from muniment.answer.room_watch import PermitWatch
from muniment.answer.rooms import parse_place
from muniment.policy.errors import MunimentError
from muniment.record.home import Home
from muniment.record.opening import clock_ms
from muniment.serve.private_memory import keep_private

LOOK_SECONDS = 2.0
RECORDER_SECONDS = 300.0
_RECORDER_EVERY_SECONDS = 20.0
_LOCK_WHAT_IS_USED = 1 | 2 | 4  # current, future, and only pages that are in use
_COLLECT_RARELY = (100_000, 20, 50)  # building makes millions of values and hardly a circle among them
_MEMORY = {-8: 2, -1: 64 << 20}  # mallopt: few arenas; little trimming while it builds


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the room named on the command line until it ends."""
    parser = argparse.ArgumentParser(prog="muniment.serve.room", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("room", metavar="NUMBER-REVISION")
    parser.add_argument("--detach", action="store_true", help="go on in the background")
    args = parser.parse_args(argv)
    try:
        files = RoomFiles.read(parse_place(Home(args.home.absolute()), args.room))
        if args.detach:
            return _detached(files)
        return _serve(files, sys.stdout.fileno())
    except MunimentError as error:
        print(f"muniment room: {error}", file=sys.stderr)
        return error.exit_code


def _detached(files: RoomFiles) -> int:
    """Serve in a child of a session of its own; return once it says `ready`, or with its code when it ends."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        try:
            code = _serve(files, writer)
        except MunimentError as error:
            print(f"muniment room: {error}", file=sys.stderr, flush=True)
            code = error.exit_code
        except BaseException as error:
            print(f"muniment room: {type(error).__name__}", file=sys.stderr, flush=True)
            code = 1
        os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.readline()
    if not said:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
    return 0


def _serve(files: RoomFiles, ready: int) -> int:
    """Listen, fence the process in, say `ready` on a descriptor, and serve until the room ends."""
    place = files.place
    listener = listen(place.socket)
    fences = confine([place.folder])
    keep_private()
    _keep_in_memory()
    watch = PermitWatch(place.home, place.number, place.revision, files.approval.ends_ms, clock_ms)
    watch.look()
    watch.require()
    book = LookBook(place.home.socket, place.number, place.revision)
    acts = RoomActs(files, watch, book, clock_ms, fences)
    signal.signal(signal.SIGTERM, lambda *_: acts.end())
    gc.freeze()
    gc.set_threshold(*_COLLECT_RARELY)
    os.write(ready, f"ready {place.socket}\n".encode())
    _say_no_more(ready)
    Thread(target=RoomServer(listener, acts.answer).serve, name="door", daemon=True).start()
    _watch_until_the_end(acts)
    _leave(listener, place.socket)
    return 0


def _watch_until_the_end(acts: RoomActs) -> None:
    """Return when the permit is over, nobody asks any more, the recorder stays away, or the room was closed."""
    answered = asked = time.monotonic()
    while not acts.ended.wait(LOOK_SECONDS):
        now = time.monotonic()
        try:
            is_over = bool(acts.watch.look())
        except MunimentError:  # the record cannot be read just now: as when the recorder is away
            is_over = now - answered >= RECORDER_SECONDS
        if now - asked >= _RECORDER_EVERY_SECONDS:
            asked = now
            if acts.book.answers():
                answered = now
        if is_over or acts.is_idle() or now - answered >= RECORDER_SECONDS:
            acts.end()


def _keep_in_memory() -> None:
    """Lock what is used, where the limit allows or can be raised; and have freed memory given back."""
    library = ctypes.CDLL(None, use_errno=True)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with suppress(AttributeError):
        if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
            library.mlockall(_LOCK_WHAT_IS_USED)
        for option, value in _MEMORY.items():
            library.mallopt(option, value)


def _say_no_more(ready: int) -> None:
    """Point the standard streams at nothing: a room's process writes no line that could hold content."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2, ready):
        os.dup2(nothing, descriptor)


def _leave(listener: socket.socket, path: Path) -> None:
    """Take the socket away; the answer that closed the room still goes out."""
    path.unlink(missing_ok=True)
    listener.close()
    time.sleep(0.2)


if __name__ == "__main__":
    # The interpreter's end would wait for libraries' threads; the keys go with the process.
    code = main()
    sys.stdout.flush()
    os._exit(code)
