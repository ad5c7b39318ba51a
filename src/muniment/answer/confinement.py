"""What fences a room's process in, its children included: no network, no writing but in its own folder.

1. A network namespace of its own, where the machine lets us: there is no device in it but a loopback that is down.
2. Landlock: nothing can be written, made or removed but below the folders named; reading stays as it was.
3. seccomp: a socket of any family but UNIX cannot be made, another process cannot be looked into, and the calls that
   would go round the first two (io_uring, new namespaces, mounts, another instruction set) are refused.

None of the three can be taken off again, by the process or by a child. Linux on x86_64 and aarch64.
Source: R-5.3-k; DESIGN "Processes"; seccomp(2), landlock(7), unshare(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from muniment.policy.errors import Unavailable

NETWORK, WRITING, CALLS = "no network of its own", "no writing elsewhere", "no network sockets"


class _Machine(NamedTuple):
    """An instruction set's number, its system calls by name, and what its numbers may not exceed."""

    audit: int
    calls: dict[str, int]
    limit: int


_SAME_EVERYWHERE = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "move_mount": 429,
    "fsopen": 430,
    "open_tree": 428,
}
_X86_64 = {
    "socket": 41, "socketpair": 53, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321,
    "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161,
    "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249,
    "open_by_handle_at": 304, "kexec_load": 246, "init_module": 175, "finit_module": 313, "kcmp": 312,
}  # fmt: skip
_AARCH64 = {
    "socket": 198, "socketpair": 199, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "bpf": 280,
    "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
    "perf_event_open": 241, "userfaultfd": 282, "keyctl": 219, "add_key": 217, "request_key": 218,
    "open_by_handle_at": 265, "kexec_load": 104, "init_module": 105, "finit_module": 273, "kcmp": 272,
}  # fmt: skip
_MACHINES = {
    "x86_64": _Machine(0xC000003E, _X86_64 | _SAME_EVERYWHERE, 0x3FFFFFFF),
    "aarch64": _Machine(0xC00000B7, _AARCH64 | _SAME_EVERYWHERE, 0xFFFFFFFF),
}

_AF_UNIX = 1
_LOAD, _EQUAL, _GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NR_AT, _ARCH_AT, _ARGUMENT_AT = 0, 4, 16  # in struct seccomp_data
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_BIND_TCP_AND_CONNECT_TCP = 3

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def confine(writable: Sequence[Path]) -> list[str]:
    """Fence this process in for good and return which fences stand; call it before there is a second thread.

    Raises:
        Unavailable: the filter of system calls, without which no room opens, cannot be set on this machine.
    """
    standing = []
    if leave_network():
        standing.append(NETWORK)
    forbid_new_privileges()
    if forbid_writing(writable):
        standing.append(WRITING)
    filter_calls()
    return [*standing, CALLS]


def leave_network() -> bool:
    """Move into an empty network namespace; tell whether the machine lets us."""
    return any(_libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWNET | _CLONE_NEWUSER))


def forbid_new_privileges() -> None:
    """Have the kernel give this process and its children no more rights than they have, whatever they execute."""
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise Unavailable("this machine's kernel cannot confine a process, so no room opens on it")


def forbid_writing(writable: Sequence[Path]) -> bool:
    """Refuse every change of a file but below `writable` and of `/dev/null`; tell whether the kernel can.

    TCP is refused by the same means where the kernel knows that.
    """
    abi = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < 1:
        return False
    handled = _ALL_BY_ABI[min(abi, 3)] & ~(_EXECUTE | _READ_FILE | _READ_DIR)
    attributes = struct.pack("=QQ", handled, _BIND_TCP_AND_CONNECT_TCP if abi >= 4 else 0)
    size = 16 if abi >= 4 else 8
    ruleset = _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    try:
        for path in writable:
            _allow_below(ruleset, path, handled)
        _allow_below(ruleset, Path("/dev/null"), handled & (1 << 1 | 1 << 14))
        return bool(_libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow_below(ruleset: int, path: Path, access: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if _libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", access, descriptor), 0) != 0:
            raise Unavailable(f"{path} cannot be left writable: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


def filter_calls() -> None:
    """Set the filter of system calls on this process and all its threads and children to come.

    Raises:
        Unavailable: the machine is none we know, or its kernel refuses the filter.
    """
    instructions = program(platform.machine())
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    given = _Program(len(instructions) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    if _libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(given), 0, 0) != 0:
        raise Unavailable(
            f"this machine's kernel sets no filter of system calls ({os.strerror(ctypes.get_errno())}), "
            "so no room opens on it"
        )


def program(machine: str) -> bytes:
    """Return the filter for an instruction set, in the kernel's form.

    Raises:
        Unavailable: it is none we know.
    """
    if machine not in _MACHINES:
        raise Unavailable(f"a room needs x86_64 or aarch64, this machine is {machine}")
    audit, calls, limit = _MACHINES[machine]
    refused = sorted(number for name, number in calls.items() if name not in ("socket", "socketpair"))
    steps = [(_LOAD, 0, 0, _ARCH_AT), (_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NR_AT)]
    # Numbers above the limit are a second door to the same calls (the x32 calls of x86_64).
    steps += [(_GREATER, 0, 1, limit), (_RETURN, 0, 0, _KILL)]
    for number in refused:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    # The family is an int: its low word is all the kernel looks at.
    steps += [
        (_EQUAL, 1, 0, calls["socket"]),
        (_EQUAL, 0, 3, calls["socketpair"]),
        (_LOAD, 0, 0, _ARGUMENT_AT),
        (_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
