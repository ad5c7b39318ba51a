"""How a command gets at what only a person has: key files, six words, the sheets in the safe.

Nothing that is typed is echoed, and nothing of it is written anywhere.
"""

from __future__ import annotations

import argparse
import getpass
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import BadInput, Conflict, Missing, Unavailable
from muniment.record import machine
from muniment.record.home import Home
from muniment.record.keyfile import KeyFile, open_key, parse_key_file
from muniment.record.words import from_words


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whose private key is used."""
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--key", type=Path, metavar="FILE", help="the key file of somebody who is an officer")
    whose.add_argument("--recovery", action="store_true", help="the recovery key, typed from its sheet")
    parser.add_argument(
        "--words-file", type=Path, help="a file that holds the six words, instead of the terminal"
    )


def private_key(args: argparse.Namespace) -> X25519PrivateKey:
    """Return the private key that the options name.

    Raises:
        Missing, Unavailable, BadInput: the file or the words are not there, or are others.
    """
    if args.recovery:
        if args.words_file:
            raise BadInput("--words-file goes with --key: the recovery key is typed, and lies in no file")
        return recovery_key()
    file = key_file(args.key)
    return open_key(
        file, six_words(args.words_file, f"The six words of {file.id} (key {file.key_id.hex()}): ")
    )


def key_file(path: Path | None) -> KeyFile:
    """Return the key file at `path`, or the only one in this folder.

    Raises:
        Missing, Unavailable, BadInput: it is not there, cannot be read, or is none.
    """
    return parse_key_file(read(path or _only_key(), "key file"))


def _only_key() -> Path:
    found = []
    for path in sorted(Path.cwd().glob("*.json")):
        with suppress(BadInput, OSError):
            parse_key_file(path.read_bytes())
            found.append(path)
    if len(found) != 1:
        raise Missing(f"found {len(found)} key files in {Path.cwd()}, expected one; name yours with --key")
    return found[0]


def six_words(path: Path | None, question: str) -> str:
    """Return the six words, from a file or as a person types them."""
    if path is not None:
        return read(path, "file of words", 4096).decode("ascii", "replace")
    return ask(question, "the six words are needed; run this at a terminal, or name a file with --words-file")


def recovery_key() -> X25519PrivateKey:
    """Return the recovery key, typed from the sheet in the safe."""
    return X25519PrivateKey.from_private_bytes(from_words(ask("Recovery key, the 24 words of part one: ")))


def machine_secret(home: Home) -> bytes:
    """Return the machine secret, as `muniment up` finds it."""
    return machine.find(home, os.environ, ask if sys.stdin.isatty() else None)


def ask(question: str, otherwise: str = "words must be typed; run this at a terminal") -> str:
    """Return what a person types unseen.

    Raises:
        Unavailable: there is no terminal; `otherwise` says what to do.
    """
    if not sys.stdin.isatty():
        raise Unavailable(otherwise)
    return getpass.getpass(question)


def say(*lines: str) -> None:
    """Tell the person at the terminal something that is not the answer."""
    print("\n".join(lines), file=sys.stderr, flush=True)


def read(path: Path, what: str, most_bytes: int = 1 << 20) -> bytes:
    """Return the bytes of a small file.

    Raises:
        Missing: it is not there. Unavailable: it cannot be read. BadInput: it is far too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise Missing(f"{path} is not there; name the {what}") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > most_bytes:
        raise BadInput(f"{path} is larger than a {what} may be ({most_bytes:,} bytes)")
    return data


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet.

    Raises:
        Conflict: it is. Unavailable: it cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise Conflict(f"{path} is there already; name another file with --output") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}; name another with --output") from None


def require_no_disk(stream: TextIO) -> None:
    """Return when what is printed to `stream` does not end in a file.

    Raises:
        BadInput: it does.
    """
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return
    if stat.S_ISREG(mode):
        raise BadInput(
            "the output goes to a file, and what is printed here holds secrets that no disk may hold. "
            "Let it come to the terminal, or to a printer with `| lp`"
        )
