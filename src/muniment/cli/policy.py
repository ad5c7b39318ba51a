"""`muniment policy check|lint|trace`: the policy file is sound, its wording is current, its clauses are met."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec

from muniment.cli.options import common, emit
from muniment.people.moment import LONDON
from muniment.policy.clauses import clauses
from muniment.policy.errors import Missing, Refused
from muniment.policy.finding import Finding, Standing
from muniment.policy.lint import lint
from muniment.policy.policyfile import PolicyFile, load
from muniment.policy.streams import in_words, lacks
from muniment.policy.trace import Trace, counts, law_words, markdown, traces
from muniment.record.home import Home
from muniment.record.opening import origin_of
from muniment.record.witnessed.settings import trust_policy_of

Subparsers = argparse._SubParsersAction  # argparse gives this type no public name


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `policy` and its sub-commands."""
    parser = subparsers.add_parser("policy", help="check the policy file, its wording and its clauses")
    commands = parser.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)
    _add_check(commands)
    _add_lint(commands)
    _add_trace(commands)


def _add_check(commands: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `policy check`."""
    parser = commands.add_parser("check", help="validate muniment.toml and print the particulars")
    common(parser)
    parser.set_defaults(handler=check)


def _add_lint(commands: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `policy lint`."""
    parser = commands.add_parser("lint", help="find what is wrong, stale or thin in the policy's wording")
    common(parser)
    parser.add_argument("--strict", action="store_true", help="exit with 3 when there is a finding")
    parser.add_argument(
        "--on",
        type=_day,
        metavar="DATE",
        help="the day to judge for, as 2027-11-01 (default: today)",
    )
    parser.set_defaults(handler=lint_wording)


def _day(text: str) -> date:
    """Return the day that is written as 2027-11-01."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2027-11-01") from error


def _add_trace(commands: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `policy trace`."""
    parser = commands.add_parser("trace", help="lead from a clause to its control, its code and its tests")
    common(parser)
    parser.add_argument(
        "id", nargs="?", metavar="ID", help="a requirement id, for instance R-2.2-b (default: all)"
    )
    parser.add_argument("--markdown", action="store_true", help="print docs/reference/clauses.md")
    parser.set_defaults(handler=trace)


def check(args: argparse.Namespace) -> int:
    """Print what the policy file says, or stop with every mistake in it."""
    policyfile = load(Home(args.home).policy_file)
    trust_policy_of(policyfile, origin_of(policyfile))
    emit(args, _summary(policyfile), _summary_lines(policyfile))
    return 0


def _summary(policyfile: PolicyFile) -> dict[str, Any]:
    """Return what `policy check --json` prints."""
    return {
        "digest": policyfile.digest.hex(),
        "example": policyfile.example,
        "officers": [{"id": officer.id, "role": officer.role} for officer in policyfile.officers],
        "particulars": msgspec.to_builtins(policyfile.organisation.particulars),
        "policy": msgspec.to_builtins(policyfile.policy),
        "purposes": [purpose.code for purpose in policyfile.purposes],
        "retention": {name: term.words for name, term in policyfile.retention.items()},
        "streams": {row.name: {"lacks": list(lacks(row, _today()))} for row in policyfile.streams},
    }


def _summary_lines(policyfile: PolicyFile) -> Iterator[str]:
    """Yield what `policy check` prints."""
    policy = policyfile.policy
    if policyfile.example:
        yield "EXAMPLE organisation: nothing here concerns a real one."
    yield from policyfile.organisation.particulars.lines
    yield f"Domains: {', '.join(policyfile.organisation.domains)}"
    yield f"Policy version {policy.version}, revised {policy.revised}, review due {policy.review_due}"
    for officer in policyfile.officers:
        yield f"Officer {officer.id}: {officer.name}, {officer.role.replace('_', ' ')}"
    for name, term in policyfile.retention.items():
        yield f"Kept, {name}: {term.words} ({term.reason}; clause {term.clause})"
    for row in policyfile.streams:
        lacking = lacks(row, _today())
        state = f"does not start, it lacks {in_words(lacking)} (clause R-5.1-c)" if lacking else "may start"
        yield f"Stream {row.name}: {state}"
    yield f"Digest {policyfile.digest.hex()}"
    yield "The policy file has no mistakes."


def _today() -> date:
    return datetime.now(LONDON).date()


def lint_wording(args: argparse.Namespace) -> int:
    """Print the findings; with `--strict` their presence is a refusal."""
    today = args.on or datetime.now().astimezone().date()
    findings = lint(load(Home(args.home).policy_file), today)
    emit(args, {"findings": msgspec.to_builtins(findings), "on": today.isoformat()}, _finding_lines(findings))
    if args.strict and findings:
        codes = ", ".join(finding.code for finding in findings)
        raise Refused(f"findings stand or are open: {codes}", clause="R-1.P-b")
    return 0


def _finding_lines(findings: list[Finding]) -> Iterator[str]:
    """Yield what `policy lint` prints."""
    for finding in findings:
        clause = clauses()[finding.clause]
        yield f"{finding.code} {finding.standing}, clause {clause.clause} ({finding.clause}): {finding.wrong}"
        yield f"   Law: {law_words(finding.law, seen=finding.law_seen)}"
        yield f"   Wording that would do: {finding.suggestion}"
    found = sum(finding.standing is Standing.FOUND for finding in findings)
    yield f"Of 12 findings {found} found, {len(findings) - found} not said, {12 - len(findings)} settled."


def trace(args: argparse.Namespace) -> int:
    """Print the trace of one clause or of all."""
    if args.markdown and not args.id:
        text = markdown(list(clauses().values()))
        emit(args, {"markdown": text}, [text.removesuffix("\n")])
        return 0
    found = _selected(args.id)
    value = {"clauses": [_trace_value(one) for one in found], "counts": counts(one.clause for one in found)}
    lines = _trace_lines(found[0]) if args.id else _overview_lines(found)
    emit(args, value, [markdown([found[0].clause]).removesuffix("\n")] if args.markdown else lines)
    return 0


def _selected(id: str | None) -> list[Trace]:
    """Return all traces, or the one of `id`."""
    found = traces()
    if id is None:
        return list(found.values())
    if id not in found:
        raise Missing(f"{id} is no requirement. `muniment policy trace` lists them all.")
    return [found[id]]


def _trace_value(one: Trace) -> dict[str, Any]:
    """Return one trace for `--json`."""
    value: dict[str, Any] = msgspec.to_builtins(one.clause)
    return value | {"code": one.code, "standing": one.clause.standing, "tests": one.tests}


def _overview_lines(found: list[Trace]) -> Iterator[str]:
    """Yield one line a clause, then the counts."""
    for one in found:
        control = f": {', '.join(one.clause.control)}" if one.clause.control else ""
        files = f", {len(one.code)} code, {len(one.tests)} test files" if one.clause.control else ""
        yield f"{one.clause.id:9} {one.clause.title} [{one.clause.standing}{control}{files}]"
    numbers = ", ".join(
        f"{number} {standing}" for standing, number in counts(t.clause for t in found).items()
    )
    yield f"{len(found)} requirements: {numbers}."


def _trace_lines(one: Trace) -> Iterator[str]:
    """Yield one clause with everything that leads on from it."""
    clause = one.clause
    yield f"{clause.id}, clause {clause.clause}: {clause.title}"
    yield f"Standing: {clause.standing}. {clause.met}"
    if clause.lacks:
        yield f"Not yet: {clause.lacks}"
    yield f"Control: {', '.join(clause.control) or 'none'}"
    yield from _listed("Code that cites it", one.code)
    yield from _listed("Tests that cite it", one.tests)


def _listed(label: str, paths: tuple[str, ...]) -> Iterator[str]:
    """Yield a heading and its paths."""
    yield f"{label}: {len(paths) or 'none'}"
    for path in paths:
        yield f"   {path}"
