"""`muniment retention`: what will be forgotten and what was, holds, and officers' signed orders, through the recorder.

The command line trusts whoever has the machine for what destroys nothing. What destroys something takes an officer's
signature, made here or, with `sign`, on any machine. Source: R-5.1-a; docs/formats/hold.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from muniment.cli.asking import key_file, read, six_words, write_new
from muniment.cli.options import common, emit
from muniment.policy.errors import Missing
from muniment.policy.policyfile import load
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.keyfile import open_key, signing_key_of
from muniment.record.opening import clock_ms, origin_of
from muniment.record.retention import orders
from muniment.record.retention.book import Certificate, read_book

_Run = Callable[[argparse.Namespace, Home], int]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("retention", help="what will be forgotten, holds, certificates, erasure")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _action(actions, "next", _next, "show what expires in the next days; changes nothing").add_argument(
        "--days", type=int, default=31, help="how many days ahead (default 31)"
    )
    certificate = _action(
        actions, "certificate", _certificate, "print what was forgotten, and what is not covered"
    )
    certificate.add_argument(
        "number", nargs="?", type=int, help="the certificate's number (default: list them)"
    )
    _action(actions, "holds", _holds, "list the holds in force")
    _add_hold(actions)
    released = _prepared(
        actions, "release", _release, "prepare the release of a hold for an officer's signature"
    )
    released.add_argument("number", help="the hold's number, for instance H2026-001")
    erased = _prepared(actions, "erase", _erase, "prepare the erasure of single messages by order")
    _entries(erased)
    erased.add_argument(
        "--authority", required=True, help="by whose order, for instance a court's, with its number"
    )
    erased.add_argument("--clause", default="R-5.1-a", help="the clause it serves (default R-5.1-a)")
    _add_shorten(actions)
    put = _prepared(
        actions, "quarantine", _quarantine, "prepare a quarantine by police reference, or its end"
    )
    _entries(put)
    put.add_argument("--reference", required=True, help="the police's reference")
    put.add_argument("--end", choices=("release", "erase"), help="end it, by the police's instruction")
    signed = actions.add_parser(
        "sign", help="sign a prepared order with your key, on any machine", description="Shows the order; typing "
        "your six words signs it. Neither the key nor the words leave this machine."
    )  # fmt: skip
    signed.add_argument("file", type=Path, metavar="FILE", help="the prepared order")
    signed.add_argument("--key", type=Path, help="your key file (default: the only one in this folder)")
    signed.add_argument("--output", type=Path, help="the file to write (default: FILE with .signed added)")
    signed.add_argument("--words-file", type=Path, help="a file that holds the six words")
    signed.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    signed.set_defaults(handler=_sign)
    _action(actions, "hand-in", _hand_in, "hand a signed order to the recorder").add_argument(
        "file", type=Path, metavar="FILE", help="the file that `muniment retention sign` wrote"
    )
    right = _action(
        actions, "clock-is-right", _clock_is_right, "say that the machine's clock is right; recorded"
    )
    right.add_argument("--as", dest="acting", required=True, metavar="ID", help="who says so")


def _add_hold(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    held = _action(actions, "hold", _hold, "keep entries beyond their term")
    held.add_argument("--as", dest="acting", required=True, metavar="ID", help="who places it")
    held.add_argument("--case", required=True, help="the number of the request, incident or matter")
    held.add_argument("--reason", required=True, help="why")
    held.add_argument("--address", action="append", default=[], help="all that mentions it; may be repeated")
    held.add_argument(
        "--from", dest="start", default="", metavar="DAY", help="of the addresses: from this day"
    )
    held.add_argument("--until", default="", metavar="DAY", help="of the addresses: and before this day")
    held.add_argument(
        "--entry", type=int, action="append", default=[], help="a ledger number; may be repeated"
    )
    until = held.add_mutually_exclusive_group(required=True)
    until.add_argument("--ends", default="", metavar="DAY", help="an automatic hold: it ends by itself")
    until.add_argument("--litigation", action="store_true", help="no end; two officers release it")


def _add_shorten(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    shorter = _prepared(
        actions, "shorten", _shorten, "prepare a shorter term for the Managing Director's signature"
    )
    shorter.add_argument("--class", dest="retention", required=True, help="the class, for instance mail")
    term = shorter.add_mutually_exclusive_group(required=True)
    term.add_argument("--years", type=int, help="the shorter term in years")
    term.add_argument("--days", type=int, help="or in days")
    shorter.add_argument("--effective", required=True, metavar="DAY", help="at least 30 days ahead")
    shorter.add_argument("--adviser", required=True, help="the data protection officer's name")
    shorter.add_argument("--advised", required=True, metavar="DAY", help="when the reason was written")
    shorter.add_argument("--advice", required=True, help="the data protection officer's written reason")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: _Run, words: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    common(parser)
    parser.set_defaults(handler=lambda args: run(args, Home(args.home.absolute())))
    return parser


def _prepared(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: _Run, words: str
) -> argparse.ArgumentParser:
    parser = _action(actions, name, run, words)
    parser.add_argument(
        "--officer", required=True, metavar="ID", help="who will sign, by id in the policy file"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="the file to write, for `muniment retention sign`"
    )
    return parser


def _entries(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--entry", type=int, action="append", required=True, help="a ledger number; may be repeated"
    )


def _ask(home: Home, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    with Recorder(home.socket) as recorder:
        return recorder.do(operation, arguments)


def _next(args: argparse.Namespace, home: Home) -> int:
    told = _ask(home, "forecast", {"days": args.days})
    lines = [told["waiting"]] if told["waiting"] else []
    for line in told["lines"]:
        shorter = f" (shorter term, retention/{line['shortening']})" if line["shortening"] else ""
        lines.append(f"{line['day']}  {line['class']:8}  {line['entries']:>9,} entries{shorter}")
    lines += [
        f"kept by {each['by']}  {each['class']:8}  {each['entries']:>9,} entries" for each in told["held"]
    ]
    emit(args, told, lines or [f"Nothing expires in the next {args.days} days."])
    return 0


def _certificate(args: argparse.Namespace, home: Home) -> int:
    found = {each.number: each for each in read_book(home).certificates}
    if args.number is None:
        lines = [f"{number}  {each.said.day}  {each.said.what}" for number, each in found.items()]
        emit(args, {"certificates": list(found)}, lines or ["Nothing has been forgotten yet."])
        return 0
    if args.number not in found:
        raise Missing(
            f"there is no certificate {args.number}; list them with `muniment retention certificate`"
        )
    emit(args, _value(found[args.number]), _page(found[args.number]))
    return 0


def _page(certificate: Certificate) -> Iterator[str]:
    said = certificate.said
    yield f"Certificate retention/{certificate.number}: {said.what} on {said.day}"
    if said.authority:
        yield f"By: {said.authority}"
    for group in said.groups:
        yield f"{group.retention}: {group.entries:,} entries, numbers {group.first} to {group.last}"
        yield f"  clause {group.clause}: {group.reason}"
        if group.shortening:
            yield f"  by the shorter term of retention/{group.shortening}"
    yield f"Keys before: {said.ring_before}"
    yield f"Keys after:  {said.ring_after}"
    yield "This does not cover:"
    yield from (f"  {each}" for each in said.not_covered)


def _value(certificate: Certificate) -> dict[str, Any]:
    import msgspec

    return {"number": certificate.number, "entry": certificate.index, **msgspec.to_builtins(certificate.said)}


def _holds(args: argparse.Namespace, home: Home) -> int:
    today = datetime.now(UTC).date().toordinal() - date(1970, 1, 1).toordinal()
    holds = read_book(home).holds_on(today)
    lines = []
    for hold in holds:
        end = f"ends {hold.placed.ends}" if hold.placed.ends else "until two officers release it"
        first = f"; {hold.first.officer} has signed" if hold.first else ""
        lines.append(f"{hold.number}  {hold.placed.case}: {hold.placed.reason} ({end}{first})")
    value = [
        {"number": h.number, "kind": h.placed.kind, "case": h.placed.case, "ends": h.placed.ends}
        for h in holds
    ]
    emit(args, {"holds": value}, lines or ["No hold is in force."])
    return 0


def _hold(args: argparse.Namespace, home: Home) -> int:
    arguments = {
        "kind": "litigation" if args.litigation else "automatic",
        "case": args.case,
        "reason": args.reason,
        "by": args.acting,
        "addresses": [(address, args.start, args.until) for address in args.address],
        "entries": args.entry,
        "ends": args.ends,
    }
    told = _ask(home, "hold", arguments)
    emit(args, told, [f"Hold {told['number']} is in force."])
    return 0


def _clock_is_right(args: argparse.Namespace, home: Home) -> int:
    emit(
        args,
        _ask(home, "clock-is-right", {"by": args.acting}),
        ["The clock is believed again; it is recorded."],
    )
    return 0


def _release(args: argparse.Namespace, home: Home) -> int:
    told = _ask(home, "dying", {"hold": args.number})
    named = {
        "hold": args.number,
        "size": told["size"],
        "due": told["due"],
        "list_sha256": told["list_sha256"],
    }
    order = orders.ReleaseHold(**_said(args, home), **named, entries=len(told["indexes"]))
    numbers = " ".join(map(str, told["indexes"]))
    return _prepare(args, order, [f"It alone keeps entries {numbers or 'none'}; {told['due']:,} go at once."])


def _erase(args: argparse.Namespace, home: Home) -> int:
    found = _ask(home, "erasure-scope", {"entries": sorted(set(args.entry))})["entries"]
    ground = {"authority": args.authority, "clause": args.clause}
    order = orders.Erase(**_said(args, home), entries=tuple(found), **ground)
    return _prepare(args, order, [f"The whole messages are entries {' '.join(map(str, found))}."])


def _shorten(args: argparse.Namespace, home: Home) -> int:
    names = ("retention", "years", "days", "effective", "adviser", "advised", "advice")
    order = orders.Shorten(**_said(args, home), **{name: getattr(args, name) for name in names})
    return _prepare(args, order, [])


def _quarantine(args: argparse.Namespace, home: Home) -> int:
    told: dict[str, Any] = {"entries": tuple(sorted(set(args.entry))), "reference": args.reference}
    if args.end:
        return _prepare(args, orders.EndQuarantine(**_said(args, home), **told, outcome=args.end), [])
    return _prepare(args, orders.Quarantine(**_said(args, home), **told), [])


def _said(args: argparse.Namespace, home: Home) -> dict[str, Any]:
    origin = origin_of(load(home.policy_file))
    return {"origin": origin, "officer": args.officer, "decided_ms": clock_ms()}


def _prepare(args: argparse.Namespace, order: orders.Order, lines: list[str]) -> int:
    text = orders.encode(order)
    orders.parse_order(text)
    write_new(args.output, text.encode())
    next_step = f"{args.officer} signs it: muniment retention sign {args.output}"
    emit(args, {"order": text, "output": str(args.output)}, [*lines, next_step])
    return 0


def _sign(args: argparse.Namespace) -> int:
    text = read(args.file, "prepared order", orders.MAX_ORDER_BYTES).decode("utf-8", "replace")
    order = orders.parse_order(text)
    key = key_file(args.key)
    if key.id != order.officer:
        raise Missing(
            f"the order is for {order.officer} to sign, the key is that of {key.id}; name another with --key"
        )
    if not args.json:
        print(text)
    question = f"Your six words sign it (key {key.key_id.hex()}); Ctrl-C leaves it: "
    signed = orders.sign_order(text, signing_key_of(open_key(key, six_words(args.words_file, question))))
    output = args.output or Path(f"{args.file}.signed")
    write_new(output, orders.encode(signed).encode())
    emit(args, {"output": str(output)}, [f"Signed. Hand it in: muniment retention hand-in {output}"])
    return 0


def _hand_in(args: argparse.Namespace, home: Home) -> int:
    signed = orders.parse_signed(read(args.file, "signed order", 2 * orders.MAX_ORDER_BYTES))
    told = _ask(home, "order", {"order": signed.order, "signature": signed.signature})
    emit(args, told, ["The order is taken and recorded."])
    return 0
