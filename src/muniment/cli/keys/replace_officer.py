"""`muniment keys replace-officer`: the record is handed on to a newcomer, by somebody who is an officer already.

1. take the newcomer's request, have its key id compared by voice, and work out the new muniment.toml;
2. open the key of an officer, or the recovery key, and see that it may do this;
3. write muniment.toml; 4. seal every share to the newcomer and state the new set in the record;
5. say what whoever left can still open, which permits ended, and what to do next.

Stopped after 3, the recorder refuses to start until this is run again, without --request.
Source: R-5.2-f; docs/formats/shares.md.
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from muniment.cli.asking import add_key_options, machine_secret, private_key, read, say
from muniment.cli.keys.parting import parting
from muniment.cli.options import common, emit
from muniment.cli.sheets import grouped
from muniment.policy.errors import BadInput, Conflict, Refused, Unavailable
from muniment.policy.policyfile import parse
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.keys.history import current_officers
from muniment.record.keys.policy_edit import edit_officer
from muniment.record.keys.request import KeyRequest, parse_request
from muniment.record.officers import OfficerSet
from muniment.record.opening import lock_record
from muniment.record.replacing import replace_officer, require_authority

_CONFIRMED_DIGITS = 4


def add(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the act to `muniment keys`."""
    parser = acts.add_parser(
        "replace-officer",
        help="hand the record on to an officer's new key, with another officer's key",
        description="Run it on this machine while Muniment is stopped. With --request it edits muniment.toml for you; "
        "without, it takes over what you changed there. No private key is written to the disk.",
    )
    common(parser)
    parser.add_argument("--request", type=Path, metavar="FILE", help="the newcomer's request, from new-key")
    parser.add_argument("--name", help="with --request: the newcomer's name, when it is another person")
    parser.add_argument("--address", help="with --request: the newcomer's mail address")
    parser.add_argument(
        "--key-id", metavar="HEX", help="the newcomer's key id as you heard it, instead of asking"
    )
    add_key_options(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Replace the officer, or change nothing at all."""
    home = Home(args.home.absolute())
    with lock_record(home):  # says at once that the recorder must be stopped
        before = home.policy_file.read_bytes()
    after = _requested(args, before) if args.request else before
    changed = OfficerSet.from_policy(parse(after))
    _say_changes(current_officers(home), changed)
    key = private_key(args)
    require_authority(current_officers(home), key)
    secret = machine_secret(home)
    if after != before:
        Disk().write_durable(home.policy_file, after, mode=0o600)
    try:
        done = replace_officer(home, secret, officer_key=key)
    except BaseException:
        if after != before and current_officers(home).digest != changed.digest:
            Disk().write_durable(home.policy_file, before, mode=0o600)
        raise
    value, lines = parting(home, done)
    emit(args, value, lines)
    return 0


def _requested(args: argparse.Namespace, before: bytes) -> bytes:
    """Return the policy file with the request's keys in it, after the key id was compared."""
    request = parse_request(read(args.request, "request"))
    _compare(args, request)
    values = {
        "public_key": base64.b64encode(request.public_key).decode(),
        "signing_key": base64.b64encode(request.signing_key).decode(),
    }
    values |= {name: given for name in ("name", "address") if (given := getattr(args, name))}
    named = next(
        (each.name for each in parse(before).officers if each.id == request.id), values.get("name", "")
    )
    if not args.name and named != request.name:
        raise BadInput(
            f"the request is of {request.name!r}, and {request.id} is {named!r} in muniment.toml. Is it another "
            "person now? Then give --name and --address"
        )
    return edit_officer(before.decode(), request.id, values).encode()


def _compare(args: argparse.Namespace, request: KeyRequest) -> None:
    """Return when the key id of the request is the one the newcomer read aloud."""
    heard = args.key_id
    expected = request.key_id.hex()
    if heard is None:
        if not sys.stdin.isatty():
            raise Unavailable(
                "the newcomer's key id must be compared; give it with --key-id, or use a terminal"
            )
        say(
            f"{request.name} ({request.id}) asks for a new key. Have them read their key id aloud, by telephone."
        )
        print(f"The last {_CONFIRMED_DIGITS} digits you hear: ", end="", file=sys.stderr, flush=True)
        heard, expected = sys.stdin.readline(), expected[-_CONFIRMED_DIGITS:]
    if "".join(heard.split()).lower() != expected:
        raise Refused(
            f"the request holds key {grouped(request.key_id)}, and that is not what was read to you: somebody may "
            "have put in a key of their own. Nothing was changed; ask for the request again, on another way",
            clause="R-5.2-f",
        )


def _say_changes(stated: OfficerSet, changed: OfficerSet) -> None:
    if stated.digest == changed.digest:
        raise Conflict(
            "muniment.toml names the same officers as the record: nothing is to be replaced. Give the newcomer's "
            "request with --request, or change the [[officers]] tables first"
        )
    before, after = stated.keys, changed.keys
    for owner in sorted(before.keys() | after.keys()):
        if owner not in after:
            say(f"  {owner}: goes, and nobody comes")
        elif owner not in before:
            say(f"  {owner}: is new")
        elif before[owner] != after[owner] or stated.signing_keys.get(owner) != changed.signing_keys.get(
            owner
        ):
            say(f"  {owner}: gets another key")
