"""The fences hold in a real process and its children, and the filter refuses what it must on both machines."""

from __future__ import annotations

import errno
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from muniment.answer import confinement
from muniment.policy.errors import Unavailable

ALLOW, KILL, PERMISSION = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM


def run(program: bytes, audit: int, number: int, first: int = 0) -> int:
    """Run a filter as the kernel would and return its verdict."""
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    data = struct.pack("=iIQ6Q", number, audit, 0, first & (1 << 64) - 1, 0, 0, 0, 0, 0)
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x15:
            at += if_true if accumulator == value else if_false
        elif code == 0x25:
            at += if_true if accumulator > value else if_false
        else:
            assert code == 0x06
            return value


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_lets_no_socket_but_unix_through(machine):
    audit, calls, _ = confinement._MACHINES[machine]
    program = confinement.program(machine)
    for name in ("socket", "socketpair"):
        assert run(program, audit, calls[name], 1) == ALLOW
        for family in (0, 2, 10, 16, 17, 38, 40):
            assert run(program, audit, calls[name], family) == PERMISSION
        assert run(program, audit, calls[name], 1 << 32 | 2) == PERMISSION
    for name in set(calls) - {"socket", "socketpair"}:
        assert run(program, audit, calls[name]) == PERMISSION, name
    for number in (0, 1, 63, 64, 93):  # reading, writing, exit
        assert run(program, audit, number) == ALLOW


def test_a_second_instruction_set_is_the_end():
    program = confinement.program("x86_64")
    assert run(program, 0x40000003, 359, 2) == KILL  # socket() of 32-bit x86
    assert run(program, 0xC000003E, 0x40000000 | 41, 2) == KILL  # socket() of x32


def test_an_unknown_machine_opens_no_room():
    with pytest.raises(Unavailable, match="riscv64"):
        confinement.program("riscv64")


TRIES = """
import ctypes, errno, os, socket, subprocess, sys
from pathlib import Path
from muniment.answer.confinement import confine
own, outside = map(Path, sys.argv[1:3])
fences = confine([own])
def refused(what, *kinds):
    try: what()
    except (PermissionError, OSError) as error: assert error.errno in (kinds or (errno.EPERM, errno.EACCES)), error
    else: raise SystemExit(f"not refused: {what}")
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, socket.AF_VSOCK):
    refused(lambda: socket.socket(family, socket.SOCK_DGRAM))
refused(lambda: socket.create_connection(("127.0.0.1", 9)))
socket.socketpair()[0].close()
libc = ctypes.CDLL(None, use_errno=True)
for number in (425, 426, 427):
    assert libc.syscall(number, 1, None) == -1 and ctypes.get_errno() == errno.EPERM
assert libc.unshare(0x10000000) == -1
assert libc.ptrace(0, 0, 0, 0) == -1
if "no writing elsewhere" in fences:
    refused(lambda: (outside / "new").write_text("x"))
    refused(lambda: (outside / "old").write_text("x"))
    refused(lambda: (outside / "old").unlink())
    refused(lambda: os.truncate(outside / "old", 0))
    refused(lambda: os.mkdir(outside / "folder"))
    refused(lambda: os.symlink("a", outside / "link"))
    refused(lambda: os.rename(outside / "old", outside / "other"))
    refused(lambda: os.link(outside / "old", own / "link"), errno.EXDEV, errno.EPERM, errno.EACCES)
    refused(lambda: Path("/dev/shm/muniment-test").write_text("x"))
(own / "kept").write_text("x")
Path("/dev/null").write_text("x")
child = "import socket\\ntry: socket.socket()\\nexcept PermissionError: print('refused')"
assert subprocess.run([sys.executable, "-c", child], capture_output=True).stdout == b"refused\\n"
if "no network of its own" in fences:
    assert os.listdir("/sys/class/net") == [] or open("/proc/self/net/dev").read().count(":") <= 1
print("\\n".join(fences))
"""


def test_the_fences_hold_in_a_process_and_its_children(tmp_path):
    own, outside = tmp_path / "own", tmp_path / "outside"
    own.mkdir()
    outside.mkdir()
    (outside / "old").write_text("as it was")
    done = subprocess.run(
        [sys.executable, "-c", TRIES, own, outside],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.splitlines()[-1] == "no network sockets"
    assert (outside / "old").read_text() == "as it was"
