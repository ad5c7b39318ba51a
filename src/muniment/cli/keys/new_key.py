"""`muniment keys new-key`: an officer makes a key file on a machine of her own; its six words are shown once."""

from __future__ import annotations

import argparse
import base64
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.cli.asking import require_no_disk
from muniment.cli.options import emit
from muniment.cli.sheets import grouped
from muniment.policy.errors import Conflict, Unavailable
from muniment.record import keyfile, words, wraps
from muniment.record.keys.request import write_request


def add(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the act to `muniment keys`."""
    parser = acts.add_parser(
        "new-key",
        help="make an officer's new key file, on the officer's own machine",
        description="Writes FILE, which stays with you, and FILE.request, which IT Support gets. Shows six words once.",
    )
    parser.add_argument(
        "--officer", required=True, metavar="ID", help="the id in muniment.toml, as office-manager"
    )
    parser.add_argument("--name", required=True, help="your name, as it will stand in muniment.toml")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the key file to write")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Write both files and show the words."""
    require_no_disk(sys.stdout)
    private_key, passphrase = X25519PrivateKey.generate(), words.draw_passphrase()
    public_key = private_key.public_key().public_bytes_raw()
    key_id = wraps.key_id(public_key)
    asked = args.out.with_name(f"{args.out.name}.request")
    data = keyfile.write_key(args.officer, args.name, private_key, passphrase)
    request = write_request(args.officer, args.name, private_key)
    keyfile.parse_key_file(data)
    _write(args.out, data, 0o600)
    try:
        _write(asked, request, 0o644)
    except (Conflict, Unavailable):
        args.out.unlink()
        raise
    public = base64.b64encode(public_key).decode()
    signing = base64.b64encode(keyfile.signing_public_of(private_key)).decode()
    value = {"file": str(args.out), "request": str(asked), "key_id": key_id.hex()}
    value |= {"public_key": public, "signing_key": signing, "words": passphrase.replace("-", " ")}
    emit(args, value, _lines(args, asked, passphrase, grouped(key_id)))
    return 0


def _lines(args: argparse.Namespace, asked: Path, passphrase: str, key_id: str) -> list[str]:
    return [
        "Your six words. Write them on paper now; they are not shown again:",
        "",
        f"    {passphrase.replace('-', '  ')}",
        "",
        f"Key file   {args.out}: keep it, and a copy on another medium, apart from the paper",
        f"Request    {asked}: send it to IT Support; nothing in it is secret",
        f"Key id     {key_id}: read it aloud when they ask, so that nobody can slip in a key of their own",
        "",
        "It opens nothing yet. Another officer hands the record on to it: `muniment keys replace-officer`.",
    ]


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except FileExistsError:
        raise Conflict(f"{path} is there already; name another file with --out") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}; name another with --out") from None
