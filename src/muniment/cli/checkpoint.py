"""`muniment checkpoint`: the signed state of the record, to give away; and the comparison with one that was kept.

Source: R-2.1-b; docs/operations/witness.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from muniment.cli.options import common, emit
from muniment.policy.errors import BadInput, Missing
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.record.ledger.checkpoint import open_checkpoint
from muniment.record.ledger.continuing import require_extends
from muniment.record.ledger.publisher import CHECKPOINT_FILE
from muniment.record.ledger.vkey import parse_vkey
from muniment.record.opening import VKEY_FILE, origin_of
from muniment.record.witnessed.typed import find_note

_MOST_BYTES = 1 << 20


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "checkpoint", help="print the record's signed state, or compare one that was kept"
    )
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    key = acts.add_parser("key", help="print the record's key, for a witness")
    common(key)
    key.set_defaults(handler=_key)
    show = acts.add_parser("print", help="print the newest signed checkpoint, to keep elsewhere")
    common(show)
    show.set_defaults(handler=_print)
    compare = acts.add_parser("compare", help="say whether this record continues a checkpoint that was kept")
    common(compare)
    compare.add_argument(
        "file", help="a file with the checkpoint as it was mailed, scanned or typed; - to type it"
    )
    compare.add_argument(
        "--vkey", help="the record's key from the sheet in the safe; else the one in the home is used"
    )
    compare.set_defaults(handler=_compare)


def _key(args: argparse.Namespace) -> int:
    vkey = _read(Home(args.home.absolute()), VKEY_FILE).decode().strip()
    emit(args, {"key": vkey}, [vkey])
    return 0


def _print(args: argparse.Namespace) -> int:
    note = _read(Home(args.home.absolute()), CHECKPOINT_FILE).decode()
    emit(args, {"checkpoint": note}, [note.removesuffix("\n")])
    return 0


def _compare(args: argparse.Namespace) -> int:
    home = Home(args.home.absolute())
    origin = origin_of(load(home.policy_file))
    key = parse_vkey(args.vkey or _read(home, VKEY_FILE).decode().strip())
    kept = open_checkpoint(find_note(_given(args.file)), origin, [key])
    newest = open_checkpoint(_read(home, CHECKPOINT_FILE), origin, [key])
    require_extends(home, newest.size, kept.size, kept.root, "hand")
    value = {"continues": True, "kept": kept.size, "newest": newest.size}
    emit(
        args,
        value,
        [
            f"This record continues it: {kept.size:,} entries then, {newest.size:,} now, the first ones the same"
        ],
    )
    return 0


def _read(home: Home, name: str) -> bytes:
    path = home.ledger / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Missing(
            f"{path} is not there; is {home.path} a home of Muniment? Name it with --home"
        ) from None


def _given(file: str) -> bytes:
    if file == "-":
        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        try:
            data = Path(file).read_bytes()
        except OSError as error:
            raise Missing(
                f"{file} cannot be read: {error.strerror}; name the file with the checkpoint"
            ) from None
    if len(data) > _MOST_BYTES:
        raise BadInput(f"{file} is too long to be a checkpoint")
    return data
