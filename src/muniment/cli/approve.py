"""`muniment approve`: an officer decides a request on a machine of her own, without a home, a network or a browser.

The strong way: no page that a server sent is trusted with the key. What is shown is read from the text that is signed.
Source: R-5.2-f; docs/formats/permit.md.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from pathlib import Path

from muniment.cli.options import emit
from muniment.permit.release import Bundle, read_bundle, sign
from muniment.permit.wording import printable, told
from muniment.policy.errors import BadInput, Conflict, Missing, Unavailable
from muniment.record.keyfile import KeyFile, open_key, parse_key_file
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
    bundle = read_bundle(_read(args.file, "request", MAX_FILE_BYTES))
    key = parse_key_file(_read(args.key or _only_key(), "key file", 1 << 20))
    output = args.output or args.file.with_name(f"{args.file.name}.approved")
    _say([*_lines(bundle), "", f"You decide as {printable(key.name)} ({printable(key.id)})."])
    private_key = open_key(key, _words(args.words_file, key))
    signed = sign(bundle, key.id, private_key, clock_ms())
    _write(output, signed)
    request = bundle.request
    value = {"number": request.number, "revision": request.revision, "officer": key.id, "output": str(output)}
    done = f"Permit {request.number} is signed. Bring {output} back: hand it in at the request's page, or"
    emit(args, value, [done, f"  muniment permit decide {output}", "It counts once it is in the record."])
    return 0


def _lines(bundle: Bundle) -> Iterator[str]:
    for label, text in told(bundle.request):
        yield f"{label:{_LABEL_WIDTH}}  {printable(text)}"


def _say(lines: list[str]) -> None:
    print("\n".join(lines), file=sys.stderr, flush=True)


def _words(path: Path | None, key: KeyFile) -> str:
    if path is not None:
        return _read(path, "file of words", 4096).decode("ascii", "replace")
    if not sys.stdin.isatty():
        raise Unavailable(
            "the six words are needed; run this at a terminal, or name a file with --words-file"
        )
    return getpass.getpass(f"Your six words approve it (key {key.key_id.hex()}); Ctrl-C leaves it: ")


def _only_key() -> Path:
    """Return the one officer's key file of this folder."""
    found = []
    for path in sorted(Path.cwd().glob("*.json")):
        try:
            parse_key_file(path.read_bytes())
        except (BadInput, OSError):
            continue
        found.append(path)
    if len(found) != 1:
        raise Missing(f"found {len(found)} key files in {Path.cwd()}, expected one; name yours with --key")
    return found[0]


def _read(path: Path, what: str, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except FileNotFoundError:
        raise Missing(f"{path} is not there; name the {what}") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > limit_bytes:
        raise BadInput(f"{path} is larger than a {what} may be ({limit_bytes:,} bytes)")
    return data


def _write(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise Conflict(f"{path} is there already; name another file with --output") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}; name another with --output") from None
