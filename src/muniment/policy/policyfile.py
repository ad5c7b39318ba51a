"""The policy file: one TOML file that says what the organisation decided, checked whole before any of it is used.

Format: docs/formats/policy-file.md. A mistake names its key, its clause and its mend; all mistakes come at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec

from .backup import Backup, backup_mistakes
from .console import Console, console_mistakes
from .errors import BadInput, Missing
from .gateway import (
    Gateway,
    RecordSettings,
    Sink,
    gateway_mistakes,
    record_mistakes,
    sink_mistakes,
    split_address,
)
from .officer import Officer, Recovery, officers_mistakes
from .particulars import Organisation, line_mistakes, organisation_mistakes
from .purpose import PURPOSES, Purpose, purposes_mistakes
from .schedule import Term, schedule_mistakes
from .shape import About, Mistake, mistakes
from .shield import Shield, shield_mistakes
from .streams import StreamRow, streams_mistakes
from .witness import WitnessSettings, witness_mistakes
from .wording import Wording

FORMAT = 1
_MOST_BYTES = 1 << 20
_VERSION = "R-1.P-a"


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version of the policy stands, and when it is looked at again."""

    version: Annotated[str, About("the version people accept", _VERSION, '"2026-11"')]
    revised: Annotated[date, About("the day of this version", _VERSION, "2026-11-01")]
    review_due: Annotated[
        date, About("the day by which it is reviewed (finding L12)", _VERSION, "2027-11-01")
    ]


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tables of the file as they are written."""

    format: Annotated[int, About("the version of this file format", _VERSION, "1")]
    organisation: Annotated[Organisation, About("who the organisation is", "R-2.2-b", "[organisation]")]
    policy: Annotated[PolicyVersion, About("the policy's version and review", _VERSION, "[policy]")]
    officers: Annotated[tuple[Officer, ...], About("two to five officers", "R-5.2-f", "[[officers]]")]
    recovery: Annotated[Recovery, About("the key in the safe", "R-5.1-a", "[recovery]")]
    retention: Annotated[
        dict[str, Term], About("how long each class is kept", "R-5.1-a", "[retention.mail] with years = 5")
    ]
    gateway: Annotated[Gateway, About("where mail passes", "R-5.1-a", "[gateway]")]
    example: Annotated[bool, About("an example organisation, not a real one", "R-1.0-a", "false")] = False
    purposes: Annotated[
        tuple[Purpose, ...], About("why the record may be opened", "R-5.1-b", "[[purposes]]")
    ] = PURPOSES
    streams: Annotated[
        tuple[StreamRow, ...],
        About("what is captured, why, and where people are told", "R-5.1-c", "[[streams]]"),
    ] = ()
    shield: Annotated[Shield, About("whose mail is shielded", "R-5.3-l", "[shield]")] = Shield()
    record: Annotated[RecordSettings, About("the record's second place", "R-2.1-b", "[record]")] = (
        RecordSettings()
    )
    backup: Annotated[Backup, About("the record's backup", "R-5.1-a", "[backup]")] = Backup()
    witness: Annotated[WitnessSettings, About("who outside confirms the record", "R-2.1-b", "[witness]")] = (
        WitnessSettings()
    )
    console: Annotated[Console, About("the console", "R-5.1-a", "[console]")] = Console()
    sink: Annotated[Sink | None, About("the example's outside world", "R-5.1-a", "[sink]")] = None
    wording: Annotated[Wording, About("what the policy text says", "R-1.P-a", "[wording]")] = Wording()


class PolicyFile(Written, frozen=True, kw_only=True):
    """A policy file without mistakes. `digest` is the SHA-256 of its bytes, 32 bytes."""

    digest: bytes


def load(path: Path) -> PolicyFile:
    """Read and check the policy file at `path`.

    Raises: Missing when it is not there; BadInput as `parse`.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        message = (
            f"{path} is not there. Run `muniment init {path.parent}`, or name another folder with --home."
        )
        raise Missing(message) from error
    except OSError as error:
        raise Missing(f"{path} cannot be read: {error.strerror}. Mend its permissions.") from error
    return parse(data, name=str(path))


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what tells that a file was written anew, None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def parse(data: bytes, *, name: str = "muniment.toml") -> PolicyFile:
    """Return the policy file in `data`.

    Raises: BadInput, and nothing else, with every mistake found in these bytes.
    """
    table = _read_toml(data, name)
    found = list(mistakes(table, Written)) or list(_unclear_dates(table))
    if found:
        raise _bad_input(found, name)
    try:
        written = msgspec.convert(table, Written, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(f"{name}: {error}") from error
    found = list(_meaning_mistakes(written))
    if found:
        raise _bad_input(found, name)
    values = {key: getattr(written, key) for key in written.__struct_fields__}
    return PolicyFile(**values, digest=sha256(data).digest())


def _read_toml(data: bytes, name: str) -> dict[str, Any]:
    """Return the bytes as a table, or say at which line they are not TOML."""
    if len(data) > _MOST_BYTES:
        raise BadInput(f"{name} has {len(data)} bytes, expected at most {_MOST_BYTES}. Is it the right file?")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{name}, line {line}: is not UTF-8 text (clause R-1.P-a). Save it as UTF-8."
        ) from error
    except (ValueError, RecursionError) as error:
        where = str(error) or "nested too deeply"
        raise BadInput(f"{name} is not TOML: {where} (clause R-1.P-a). Mend that line.") from error


def _unclear_dates(table: dict[str, Any]) -> Iterator[Mistake]:
    """Yield a mistake for a day that was written with a time, which would depend on the time zone."""
    for number, row in enumerate(table.get("streams", ()), start=1):
        if isinstance(row.get("assessed"), datetime):
            yield Mistake(f"streams[{number}].assessed", "R-5.1-c", "has a time", "Write a day only.")
    for key in ("revised", "review_due"):
        if isinstance(table["policy"][key], datetime):
            yield Mistake(
                f"policy.{key}", _VERSION, "has a time", "Write a day only, for instance 2026-11-01."
            )


def _meaning_mistakes(written: Written) -> Iterator[Mistake]:
    """Yield what is wrong although every key has its right type."""
    example = written.example
    if written.format != FORMAT:
        yield Mistake(
            "format", _VERSION, f"found {written.format}, expected {FORMAT}", "Use the release that wrote it."
        )
    yield from organisation_mistakes(written.organisation, example=example)
    yield from _version_mistakes(written.policy)
    yield from officers_mistakes(written.officers, written.recovery, example=example)
    yield from schedule_mistakes(written.retention)
    yield from purposes_mistakes(written.purposes)
    yield from streams_mistakes(written.streams)
    yield from shield_mistakes(written.shield, written.organisation.domains)
    yield from gateway_mistakes(written.gateway, example=example)
    yield from record_mistakes(written.record)
    yield from backup_mistakes(written.backup)
    yield from witness_mistakes(written.witness)
    yield from console_mistakes(written.console, example=example)
    yield from sink_mistakes(written.sink, example=example)
    yield from _listener_clashes(written)


def _version_mistakes(policy: PolicyVersion) -> Iterator[Mistake]:
    """Yield what is wrong with the policy's version and dates."""
    yield from line_mistakes("policy.version", policy.version, _VERSION)
    if policy.review_due <= policy.revised:
        yield Mistake(
            "policy.review_due",
            _VERSION,
            f"{policy.review_due} is not after policy.revised {policy.revised}",
            "Write the day by which the policy is to be looked at again, a year on at most times.",
        )


def _listener_clashes(written: Written) -> Iterator[Mistake]:
    """Yield a mistake when two ports would be opened at the same address."""
    gateway, sink = written.gateway, written.sink
    addresses = [gateway.inside, gateway.outside, gateway.journal, written.console.listen]
    if sink is not None:
        addresses += [sink.listen, sink.inside_listen]
    fixed = [split for address in addresses if (split := split_address(address)) and split[1]]
    for host, port in sorted({split for split in fixed if fixed.count(split) > 1}):
        address = f"{host}:{port}"
        yield Mistake("gateway", "R-5.1-a", f"two ports would listen on {address}", "Give each its own port.")


def _bad_input(found: list[Mistake], name: str) -> BadInput:
    """Return one error that lists every mistake."""
    if len(found) == 1:
        return BadInput(f"{name}: {found[0]}")
    listed = "".join(f"\n  {mistake}" for mistake in found)
    return BadInput(f"{name} has {len(found)} mistakes:{listed}")
