"""How a key act gets at a private key: a key file and its six words, or what stands on the sheets in the safe.

Nothing that is typed is echoed, and nothing of it is written anywhere.
"""

from __future__ import annotations

import argparse
import getpass
import os
import stat
import sys
from pathlib import Path
from typing import TextIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.record import machine
from muniment.record.home import Home
from muniment.record.keyfile import open_key, parse_key_file
from muniment.record.words import from_words

_LARGEST_FILE = 1 << 20


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
    file = parse_key_file(read(args.key, "key file"))
    if args.words_file:
        return open_key(file, read(args.words_file, "file of words").decode("ascii", "replace"))
    return open_key(file, ask(f"The six words of {file.id} (key {file.key_id.hex()}): "))


def recovery_key() -> X25519PrivateKey:
    """Return the recovery key, typed from the sheet in the safe."""
    return X25519PrivateKey.from_private_bytes(from_words(ask("Recovery key, the 24 words of part one: ")))


def machine_secret(home: Home) -> bytes:
    """Return the machine secret, as `muniment up` finds it."""
    return machine.find(home, os.environ, ask)


def ask(question: str) -> str:
    """Return what a person types unseen.

    Raises:
        Unavailable: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise Unavailable("words must be typed; run this at a terminal")
    return getpass.getpass(question)


def say(*lines: str) -> None:
    """Tell the person at the terminal something that is not the answer."""
    print("\n".join(lines), file=sys.stderr, flush=True)


def read(path: Path, what: str) -> bytes:
    """Return the bytes of a small file.

    Raises:
        Missing: it is not there. Unavailable: it cannot be read. BadInput: it is far too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise Missing(f"{path} is not there; name the {what}") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST_FILE:
        raise BadInput(f"{path} is larger than a {what} may be")
    return data


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
        raise BadInput("the output goes to a file, and secret words may lie on no disk; use the terminal")
