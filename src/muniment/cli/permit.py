"""`muniment permit`: asks for permits, lists and shows them, and hands decisions to the record of a home.

The command line trusts whoever has the machine: `--as` says who acts, and nobody checks it. What it cannot do is
approve: that takes an officer's key. Source: R-5.2-e, R-5.2-f.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, overload

from muniment.cli.options import common, emit
from muniment.cli.permit_words import in_full, in_short, value_of
from muniment.people.moment import LONDON
from muniment.policy.errors import BadInput, Conflict, Missing, Unavailable
from muniment.record.home import Home

if TYPE_CHECKING:
    from muniment.people.models import Person
    from muniment.permit.office import Office

_TRUST = "The command line trusts whoever has this machine: nobody checks who --as names."
_Action = Callable[[argparse.Namespace, "Office"], int]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("permit", help="ask for a permit, list them, hand in a decision")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_ask(actions)
    listed = _action(actions, "list", _list, "name every permit and how it stands")
    listed.add_argument("--state", help="only those that stand so, for instance asked or approved")
    shown = _action(actions, "show", _show, "show one permit with everything that was done to it")
    shown.add_argument("number", help="the permit's number, for instance 2026-003")
    bundled = _action(actions, "bundle", _bundle, "write the file an officer needs for `muniment approve`")
    bundled.add_argument("number", help="the permit's number")
    bundled.add_argument("--output", type=Path, help="the file to write (default: NUMBER-REVISION.request)")
    decided = _action(actions, "decide", _decide, "hand in the file that `muniment approve` wrote")
    decided.add_argument("file", type=Path, metavar="FILE", help="the signed approval")
    _add_acts(actions)
    _action(actions, "check", _check, "compare the console's rows with the record")
    _action(actions, "rebuild", _rebuild, "make the console's rows again from the record")


def _add_ask(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _action(actions, "ask", _ask, "ask for a permit; an officer decides")
    _as(parser, "who asks, by external_id")
    parser.add_argument("--purpose", required=True, help="a purpose code of the policy, for instance SAR")
    parser.add_argument("--reason", required=True, help="what has to be found out, and what gives cause")
    parser.add_argument(
        "--alternative", required=True, help="the less intrusive way that was tried or considered"
    )
    parser.add_argument("--case", default="", help="the case, request or order it serves")
    parser.add_argument("--advice", default="", help="the data protection officer's view")
    parser.add_argument(
        "--person", action="append", default=[], metavar="ID", help="whose mail; may be repeated"
    )
    parser.add_argument("--address", action="append", default=[], help="an address besides; may be repeated")
    parser.add_argument("--from", dest="start", required=True, metavar="DAY", help="captured from this day")
    parser.add_argument(
        "--until", required=True, metavar="DAY", help="and before this day; later than today: from now on"
    )
    parser.add_argument(
        "--stream", action="append", default=[], help="a stream (default: all mail); may be repeated"
    )
    parser.add_argument("--depth", default="content", choices=("envelope", "content"), help="how deep")
    parser.add_argument(
        "--reader", action="append", default=[], metavar="ID", help="who else needs to see it"
    )
    parser.add_argument("--days", type=int, default=14, help="how long the permit lasts, 1 to 31")
    parser.add_argument(
        "--site", action="append", default=[], help="a closed site to visit: asks for an exemption"
    )
    parser.add_argument("--shielded", action="store_true", help="what is marked private under --parent")
    parser.add_argument("--parent", default="", metavar="NUMBER", help="the permit this one goes on from")


def _add_acts(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    narrowed = _act(
        actions, "narrow", _narrow, "leave out of a request before it is decided", "an officer, or who asked"
    )
    narrowed.add_argument(
        "--advice", default="", help="the exemption, or the data protection officer's advice"
    )
    narrowed.add_argument(
        "--person", action="append", metavar="ID", help="whose mail to keep; may be repeated"
    )
    narrowed.add_argument("--address", action="append", help="an address to keep; may be repeated")
    narrowed.add_argument("--from", dest="start", metavar="DAY", help="captured from this day")
    narrowed.add_argument("--until", metavar="DAY", help="and before this day")
    narrowed.add_argument("--stream", action="append", help="a stream to keep; may be repeated")
    narrowed.add_argument("--envelope", action="store_true", help="no content")
    narrowed.add_argument("--days", type=int, help="how long the permit lasts")
    narrowed.add_argument("--site", action="append", help="a closed site to keep; may be repeated")
    refused = _act(actions, "refuse", _refuse, "refuse a request", "the officer, by id in the policy file")
    refused.add_argument(
        "--advice", default="", help="the exemption, or the data protection officer's advice"
    )
    _act(actions, "withdraw", _withdraw, "take your own request back", "who asked, by external_id")
    _act(actions, "revoke", _revoke, "end a permit that is in force", "the officer, by id in the policy file")
    delayed = _act(
        actions,
        "delay",
        _delay,
        "have the person looked at told later",
        "the officer, by id in the policy file",
    )
    delayed.add_argument("--until", metavar="DAY", help="the day from which they are told")
    delayed.add_argument("--ground", default="", help="prejudice, police or safeguarding")
    delayed.add_argument("--end", action="store_true", help="end the delay now")
    away = _action(actions, "away", _away, "say that an officer is away, so that the alternate may decide")
    away.add_argument("officer", help="who is away, by id in the policy file")
    _as(away, "the Managing Director or the Office Manager, by id in the policy file")
    away.add_argument(
        "--until", required=True, metavar="DAY", help="back on this day; today or before: back now"
    )


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: _Action, words: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}. {_TRUST}")
    common(parser)
    parser.set_defaults(handler=lambda args: _attached(args, run))
    return parser


def _act(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: _Action,
    words: str,
    who: str,
) -> argparse.ArgumentParser:
    parser = _action(actions, name, run, words)
    parser.add_argument("number", help="the permit's number, for instance 2026-003")
    _as(parser, who)
    parser.add_argument("--reason", required=True, help="why; whoever asked can read it")
    return parser


def _as(parser: argparse.ArgumentParser, who: str) -> None:
    parser.add_argument("--as", dest="acting", required=True, metavar="ID", help=who)


def _attached(args: argparse.Namespace, run: _Action) -> int:
    from muniment.site.attach import attached

    home = Home(args.home.absolute())
    with attached(home), _office(home) as office:
        return run(args, office)


@contextmanager
def _office(home: Home) -> Iterator[Office]:
    from muniment.permit.office import open_office

    with open_office(home) as office:
        yield office


def _ask(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.acts import ask
    from muniment.permit.asking import MAIL, Asking, role_to_ask_in
    from muniment.permit.band import band
    from muniment.permit.windows import moment_of

    person = _person(args.acting)
    kind = "exemption" if args.site else "shielded" if args.shielded else "look"
    asking = Asking(
        requester=person,
        role=role_to_ask_in(office, person, kind, moment_of(office.now_ms())),
        kind=kind,
        purpose=args.purpose,
        reason=args.reason,
        alternative=args.alternative,
        case=args.case,
        advice=args.advice,
        people=tuple(_person(each) for each in args.person),
        addresses=tuple(args.address),
        start=_day(args.start),
        until=_day(args.until),
        streams=tuple(args.stream) or MAIL,
        depth=args.depth,
        readers=tuple(_person(each) for each in args.reader),
        days=args.days,
        sites=tuple(args.site),
        parent=args.parent,
    )
    asked = ask(office, asking)
    permit = asked.permit
    value = {"number": permit.number, "entries": band(permit.entries), "shielded": band(permit.shielded)}
    lines = [f"Permit {permit.number} is asked for; an officer decides."]
    if asked.words:
        lines += [
            f"It would open {value['entries']} entries; {value['shielded']} more are marked private.",
            "The six words of its room, shown this once and kept nowhere:",
            f"  {asked.words}",
            "Without them the room does not open, and you have to ask again.",
        ]
    emit(args, value | ({"words": asked.words} if asked.words else {}), lines)
    return 0


def _list(args: argparse.Namespace, office: Office) -> int:
    permits = [
        standing
        for _, standing in sorted(office.history().permits.items())
        if args.state in (None, standing.state.value)
    ]
    lines = [in_short(standing) for standing in permits] or ["No permits."]
    emit(args, {"permits": [value_of(standing) for standing in permits]}, lines)
    return 0


def _show(args: argparse.Namespace, office: Office) -> int:
    standing = office.history().permit(args.number)
    value = value_of(standing) | {"request": standing.text}
    emit(args, value, in_full(standing, office.stands(standing)))
    return 0


def _bundle(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.acts import approval_request

    data = approval_request(office, args.number)
    revision = office.history().permit(args.number).revision
    path = args.output or Path(f"{args.number}-{revision}.request")
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise Conflict(f"{path} is there already; name another file with --output") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}; name another file") from None
    told = f"{path} written ({len(data):,} bytes). The officer runs: muniment approve {path} --key KEYFILE"
    emit(args, {"number": args.number, "output": str(path), "bytes": len(data)}, [told])
    return 0


def _decide(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.acts import approve

    try:
        data = args.file.read_bytes()
    except OSError as error:
        raise Missing(
            f"{args.file} cannot be read: {error.strerror}; name what `muniment approve` wrote"
        ) from None
    permit = approve(office, data)
    return _done(args, permit.number, f"Permit {permit.number} is approved until {permit.ends:%d %B %Y}.")


def _narrow(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.narrowing import Narrowing, narrow

    is_officer = args.acting in {officer.id for officer in office.policy.officers}
    by = args.acting if is_officer else str(_person(args.acting).pk)
    keep = Narrowing(
        people=tuple(str(_person(each).pk) for each in args.person) if args.person else None,
        addresses=tuple(args.address) if args.address else None,
        sites=tuple(args.site) if args.site else None,
        from_ms=_milliseconds(args.start),
        until_ms=_milliseconds(args.until),
        streams=tuple(args.stream) if args.stream else None,
        depth="envelope" if args.envelope else None,
        days=args.days,
    )
    revision = office.history().permit(args.number).revision
    permit = narrow(office, args.number, revision, by, keep, args.reason, advice=args.advice)
    words = f"Permit {args.number} is narrowed to revision {permit.revision}; an officer decides that one."
    return _done(args, args.number, words)


def _refuse(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.acts import refuse

    revision = office.history().permit(args.number).revision
    refuse(office, args.number, revision, args.acting, args.reason, advice=args.advice)
    return _done(args, args.number, f"Permit {args.number} is refused; who asked is told why.")


def _withdraw(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.acts import withdraw

    withdraw(office, args.number, str(_person(args.acting).pk), args.reason)
    return _done(args, args.number, f"Permit {args.number} is withdrawn.")


def _revoke(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.acts import revoke

    revoke(office, args.number, args.acting, args.reason)
    return _done(args, args.number, f"Permit {args.number} is revoked; its room closes within seconds.")


def _delay(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.delays import delay_notice, end_delay

    if args.end:
        end_delay(office, args.number, args.acting, args.reason)
        return _done(args, args.number, f"The notice under permit {args.number} is delayed no longer.")
    if not args.until:
        raise BadInput("a delay needs its day; add --until DAY, or --end to end one")
    until_ms = _milliseconds(args.until)
    delay_notice(office, args.number, args.acting, until_ms, args.ground, args.reason)
    return _done(args, args.number, f"The notice under permit {args.number} waits until {args.until}.")


def _away(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.absence import note_absence

    note_absence(office, args.acting, args.officer, _milliseconds(args.until))
    emit(
        args, {"officer": args.officer, "until": args.until}, [f"{args.officer} is away until {args.until}."]
    )
    return 0


def _check(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.rows import check_rows

    findings = check_rows(office.home)
    emit(args, {"findings": findings}, findings or ["The console's rows say what the record says."])
    return 6 if findings else 0


def _rebuild(args: argparse.Namespace, office: Office) -> int:
    from muniment.permit.rows import rebuild

    count = rebuild(office.home)
    emit(args, {"permits": count}, [f"The rows of {count} permits are made again from the record."])
    return 0


def _done(args: argparse.Namespace, number: str, words: str) -> int:
    emit(args, {"number": number, "done": True}, [words])
    return 0


def _person(external_id: str) -> Person:
    from muniment.people.models import Person

    found = Person.objects.filter(external_id=external_id).first()
    if found is None:
        raise Missing(
            f"the register of people knows no {external_id[:60]!r}; `muniment people import` adds people"
        )
    return found


@overload
def _milliseconds(text: str) -> int: ...
@overload
def _milliseconds(text: None) -> None: ...
def _milliseconds(text: str | None) -> int | None:
    return None if text is None else int(_day(text).timestamp() * 1000)


def _day(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no day; write, for instance, 2026-11-24") from None
    return found if found.tzinfo else found.replace(tzinfo=LONDON)
