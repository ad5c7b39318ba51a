"""`muniment entry export`: one entry, still sealed, with the proof that it is in the record."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from muniment.cli.options import common, emit
from muniment.policy.errors import Conflict, Unavailable
from muniment.policy.policyfile import load
from muniment.record.catalogue import Catalogue
from muniment.record.exporting import export_entry, find_entry
from muniment.record.home import Home


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("entry", help="export an entry with its proof")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    export = acts.add_parser("export", help="write an entry, sealed, with its proof, for muniment-verify")
    export.add_argument("number", help="an entry, for instance mail-gateway/42, or its ledger index")
    export.add_argument("--output", type=Path, help="the file to write (default: standard output)")
    common(export)
    export.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Write the exported entry."""
    home = Home(args.home.absolute())
    policy = load(home.policy_file)
    catalogue = Catalogue(home.database)
    exported = export_entry(home, find_entry(catalogue, args.number), is_example=policy.example)
    catalogue.close()
    text = json.dumps(exported, indent=1, sort_keys=True) + "\n"
    if args.output is None:
        sys.stdout.write(text)
        return 0
    try:
        with args.output.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise Conflict(f"{args.output} is there already; name another file") from None
    except OSError as error:
        raise Unavailable(f"{args.output} cannot be written: {error.strerror}; name another file") from None
    value = {"number": exported["number"], "output": str(args.output)}
    told = (
        f"check it with: muniment-verify {args.output} --vkey KEY (the key stands on the sheet in the safe)"
    )
    emit(args, value, [f"{exported['number']} written to {args.output}; {told}"])
    return 0
