"""The rooms of a home: which a person may enter, whether their process runs, starting and stopping it.

A room stands when an officer has approved the permit and its keys lie in `HOME/rooms/NUMBER-REVISION`. Listing reads
the record's acts, never the database's rows. Source: docs/formats/room-socket.md; R-5.2-f, R-5.3-k.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from muniment.answer.room_client import Looker, RoomClient
from muniment.permit.rooms import APPROVAL, REQUEST, folder_of
from muniment.policy.errors import BadInput, Missing, MunimentError, Unavailable
from muniment.record.client import short_path
from muniment.record.home import Home
from muniment.record.permit_text import PermitRequest, parse_approval, parse_request, parse_signed_approval

START_SECONDS = 30.0
_PLACE = re.compile(r"([0-9]{4}-[0-9]{3,6})-([1-9][0-9]{0,4})")


@dataclass(frozen=True)
class RoomPlace:
    """Where one room lies: permit number and revision, files and socket."""

    home: Home
    number: str
    revision: int

    @property
    def name(self) -> str:
        """The room's name, for instance `2026-003-1`."""
        return f"{self.number}-{self.revision}"

    @property
    def folder(self) -> Path:
        """Its files at rest."""
        return folder_of(self.home, self.number, self.revision)

    @property
    def socket(self) -> Path:
        """The socket of its process."""
        return self.folder / "room.sock"


@dataclass(frozen=True)
class Room:
    """One room as it is listed: the request it stands on, its end, and whether its process runs."""

    place: RoomPlace
    request: PermitRequest
    officer: str
    decided_ms: int
    ends_ms: int
    is_running: bool


def parse_place(home: Home, name: str) -> RoomPlace:
    """Return the place of a room by its name `NUMBER-REVISION`. Raises: BadInput when it is no such name."""
    found = _PLACE.fullmatch(name)
    if not found:
        raise BadInput(f"{name[:40]!r} is no room; expected a permit's number and revision, as in 2026-003-1")
    return RoomPlace(home, found[1], int(found[2]))


def load(place: RoomPlace) -> Room:
    """Return one room from its files.

    Raises: Missing when there is none, or its permit was not approved.
    """
    try:
        request = parse_request((place.folder / REQUEST).read_bytes())
        signed = parse_signed_approval((place.folder / APPROVAL).read_bytes())
    except FileNotFoundError:
        raise Missing(
            f"there is no room {place.name}: the permit was not approved, or has another revision"
        ) from None
    approval = parse_approval(signed.approval)
    return Room(place, request, approval.officer, approval.decided_ms, approval.ends_ms, is_running(place))


def rooms_of(home: Home, person: str, now_ms: int) -> list[Room]:
    """Return the rooms whose permit names `person` as requester or reader and is not over, newest first."""
    found = []
    folder = home.path / "rooms"
    for path in sorted(folder.iterdir(), reverse=True) if folder.is_dir() else ():
        with suppress(MunimentError):
            room = load(parse_place(home, path.name))
            if may_enter(room.request, person) and now_ms < room.ends_ms:
                found.append(room)
    return found


def may_enter(request: PermitRequest, person: str) -> bool:
    """Tell whether a person is the permit's requester or one of its readers."""
    return bool(person) and (person == request.requester.id or person in request.readers)


def is_running(place: RoomPlace) -> bool:
    """Tell whether the room's process answers its socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            with short_path(place.socket) as name:
                probe.connect(name)
        except (OSError, Unavailable):
            return False
    return True


def enter(place: RoomPlace, looker: Looker) -> RoomClient:
    """Return a connection to the room, its process started when it does not run; the room may still be locked.

    Raises: Missing when there is no such room. Unavailable when its process does not start.
    """
    room = load(place)
    if not room.is_running:
        start(place)
    return RoomClient(place.socket, looker)


def start(place: RoomPlace) -> None:
    """Start the room's process and wait until it listens; it outlives the caller and ends by itself.

    Raises: Unavailable when it does not become ready.
    """
    command = [sys.executable, "-m", "muniment.serve.room", str(place.home.path), place.name, "--detach"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=START_SECONDS, cwd="/", check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the room {place.name} was not ready in {START_SECONDS:.0f} seconds") from None
    if not done.stdout.startswith(b"ready") and not is_running(place):  # another worker may have been quicker
        said = done.stderr.decode("utf-8", "replace").strip()[-1000:]
        raise Unavailable(f"the room {place.name} did not start: {said or done.returncode}")


def end_all(home: Home) -> int:
    """Have every room of a home forget its keys and end, as when the home stops; return how many ran."""
    found = [process for path in (home.path / "rooms").glob("*/room.sock") if (process := _process_at(path))]
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    return len(found)


def _process_at(path: Path) -> int:
    """Return the process that listens at a room's socket, 0 when none does."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            with short_path(path) as name:
                probe.connect(name)
            peer = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except (OSError, Unavailable):
            return 0
    return int(struct.unpack("3i", peer)[0])


def stop(place: RoomPlace, looker: Looker) -> None:
    """Have the room forget its keys and end; without effect when it does not run."""
    if is_running(place):
        with RoomClient(place.socket, looker) as client:
            client.close_room()
