"""`muniment witness`: confirm, from outside, that somebody's record only grows. It needs a folder, and no home.

Source: C2SP tlog-witness; docs/operations/witness.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from muniment.policy.errors import BadInput
from muniment.policy.gateway import split_address
from muniment.record.ledger.cosignature import Ed25519CosignerKey
from muniment.record.ledger.vkey import parse_vkey
from muniment.serve.console import free_port
from muniment.serve.witness_book import Book, LogState
from muniment.serve.witness_key import Cosigner, create_keys, load_keys

Subparsers = argparse._SubParsersAction  # argparse gives this type no public name


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("witness", help="confirm from outside that somebody's record only grows")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    init = acts.add_parser("init", help="make the folder of a new witness and print its keys")
    _common(init)
    init.add_argument("--name", required=True, help="the witness's name, for instance union.example")
    init.set_defaults(handler=_init)
    trust = acts.add_parser("trust", help="watch a record from now on, by its key")
    _common(trust)
    trust.add_argument(
        "vkey", metavar="VKEY", help="the record's key, as `muniment checkpoint key` prints it"
    )
    trust.set_defaults(handler=_trust)
    run = acts.add_parser("run", help="answer until it is stopped")
    _common(run)
    run.add_argument(
        "--listen", default="127.0.0.1:8920", metavar="HOST:PORT", help="default: 127.0.0.1:8920"
    )
    run.set_defaults(handler=_run)
    show = acts.add_parser("show", help="say what was confirmed and what was refused")
    _common(show)
    show.set_defaults(handler=_show)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder", type=Path, default=Path("witness"), help="the witness's own folder (default: ./witness)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")


def _emit(args: argparse.Namespace, value: dict[str, Any], lines: Iterable[str]) -> None:
    print(json.dumps(value, sort_keys=True) if args.json else "\n".join(lines))


def _init(args: argparse.Namespace) -> int:
    keys = _vkeys(create_keys(args.folder, args.name))
    Book(args.folder).close()
    _emit(
        args,
        {"folder": str(args.folder), "keys": keys},
        [
            f"A witness in {args.folder}. Give its key to the organisation whose record you will watch:",
            keys["ed25519"],
            "A second key, long, withstands quantum computers: `muniment witness show` prints both.",
            f"Then: muniment witness trust --folder {args.folder} THEIR-KEY",
        ],
    )
    return 0


def _trust(args: argparse.Namespace) -> int:
    key = parse_vkey(args.vkey)
    if isinstance(key, Ed25519CosignerKey):
        raise BadInput(f"the key of {key.name} is that of a witness; a record's key is expected")
    load_keys(args.folder, lambda: 0)
    book = Book(args.folder)
    book.trust(key)
    book.close()
    _emit(args, {"origin": key.name}, [f"{key.name} is watched from now on"])
    return 0


def _run(args: argparse.Namespace) -> int:
    from muniment.serve import witness

    address = split_address(args.listen)
    if address is None:
        raise BadInput(f"{args.listen!r} is not host:port; write, for instance, --listen 127.0.0.1:8920")
    host, port = address
    witness.run(args.folder, host, free_port(host, port, "the witness", "name another one with --listen"))
    return 0


def _show(args: argparse.Namespace) -> int:
    keys = _vkeys(load_keys(args.folder, lambda: 0))
    book = Book(args.folder)
    states, doubts = book.states(), book.doubts()
    book.close()
    value = {
        "keys": keys,
        "logs": [
            {"origin": s.origin, "size": s.seen.checkpoint.size if s.seen else 0, "at": s.at} for s in states
        ],
        "refused": [{"id": d.id, "origin": d.origin, "kind": str(d.kind), "at": d.at} for d in doubts],
    }
    lines = [*keys.values(), *map(_line, states)]
    lines += [
        f"Refused ({d.kind}): {d.origin}, {_when(d.at)}; both notes stand at /refused/{d.id}" for d in doubts
    ]
    _emit(args, value, lines or ["nothing"])
    return 6 if any(d.kind == "fork" for d in doubts) else 0


def _line(state: LogState) -> str:
    if state.seen is None:
        return f"{state.origin}: nothing was sent yet"
    return f"{state.origin}: {state.seen.checkpoint.size:,} entries, confirmed {_when(state.at)}"


def _vkeys(cosigners: Iterable[Cosigner]) -> dict[str, str]:
    keys = [cosigner.key for cosigner in cosigners]
    return {"ed25519" if isinstance(k, Ed25519CosignerKey) else "ml-dsa-44": str(k) for k in keys}


def _when(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y %H:%M:%S} UTC"
