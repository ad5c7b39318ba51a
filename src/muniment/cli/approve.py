"""`muniment approve`: an officer decides a request on a machine of her own, without a home, a network or a browser.

The strong way: no page that a server sent is trusted with the key. What is shown is read from the text that is signed.
Source: R-5.2-f; docs/formats/permit.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from muniment.cli.asking import key_file, read, say, six_words, write_new
from muniment.cli.options import emit
from muniment.permit.release import Bundle, read_bundle, sign
from muniment.permit.wording import printable, told
from muniment.record.keyfile import open_key
from muniment.record.opening import clock_ms
from muniment.record.permit_text import MAX_FILE_BYTES

_LABEL_WIDTH = 12


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "approve",
        help="approve a request with your key, on any machine",
        description="Shows whom, what, why and how many; typing your six words approves it, Ctrl-C leaves it. "
        "Neither the key nor the words leave this machine. To refuse or narrow, use the console.",
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="the request, from the console or `permit bundle`"
    )
    parser.add_argument("--key", type=Path, help="your key file (default: the only one in this folder)")
    parser.add_argument("--output", type=Path, help="the file to write (default: FILE with .approved added)")
    parser.add_argument(
        "--words-file", type=Path, help="a file that holds the six words, instead of the terminal"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Show the request, take the six words, write the signed approval."""
    bundle = read_bundle(read(args.file, "request", MAX_FILE_BYTES))
    key = key_file(args.key)
    output = args.output or args.file.with_name(f"{args.file.name}.approved")
    say(*_lines(bundle), "", f"You decide as {printable(key.name)} ({printable(key.id)}).")
    question = f"Your six words approve it (key {key.key_id.hex()}); Ctrl-C leaves it: "
    private_key = open_key(key, six_words(args.words_file, question))
    signed = sign(bundle, key.id, private_key, clock_ms())
    write_new(output, signed)
    request = bundle.request
    value = {"number": request.number, "revision": request.revision, "officer": key.id, "output": str(output)}
    done = f"Permit {request.number} is signed. Bring {output} back: hand it in at the request's page, or"
    emit(args, value, [done, f"  muniment permit decide {output}", "It counts once it is in the record."])
    return 0


def _lines(bundle: Bundle) -> Iterator[str]:
    for label, text in told(bundle.request):
        yield f"{label:{_LABEL_WIDTH}}  {printable(text)}"
