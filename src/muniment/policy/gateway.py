"""Where the processes listen and hand on: the gateway, the record's second place, the example's sink.

Source: R-2.2-b (the footer needs every external message to pass here), R-5.1-a.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated

import msgspec

from .particulars import domain_mistakes
from .reserved import is_domain, is_harmless_host
from .shape import About, Mistake

_CLAUSE = "R-5.1-a"
_LEAST_BYTES, _MOST_BYTES = 65_536, 1 << 30


class HopTLS(StrEnum):
    """Whether the gateway speaks TLS to the next hop."""

    NONE = "none"
    MAY = "may"
    REQUIRE = "require"


class Gateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail gateway's ports and next hops; an empty address switches that port off."""

    hostname: Annotated[str, About("the gateway's own name in SMTP", _CLAUSE, '"mail.training.example"')]
    inside: Annotated[str, About("where our own people submit mail", _CLAUSE, '"127.0.0.1:2525"')] = ""
    outside: Annotated[str, About("where the world delivers mail", _CLAUSE, '"127.0.0.1:2526"')] = ""
    journal: Annotated[str, About("where a journal is only recorded", _CLAUSE, '"127.0.0.1:2527"')] = ""
    outbound_hop: Annotated[str, About("the next hop of mail from inside", _CLAUSE, '"127.0.0.1:2580"')] = ""
    inbound_hop: Annotated[str, About("the next hop of mail from outside", _CLAUSE, '"127.0.0.1:2581"')] = ""
    max_message_bytes: Annotated[int, About("the largest message taken", _CLAUSE, "157286400")] = 157_286_400
    tls_certificate: Annotated[
        str, About("path of a PEM certificate chain; empty offers no STARTTLS", "R-4.1-a", '""')
    ] = ""
    tls_key: Annotated[str, About("path of the certificate's PEM key", "R-4.1-a", '""')] = ""
    hop_tls: Annotated[HopTLS, About("none, may or require", "R-4.1-a", '"may"')] = HopTLS.MAY


class RecordSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the record leaves a second copy of its checkpoints."""

    anchor_dir: Annotated[
        str, About("absolute path of a folder outside the home; empty for none", "R-2.1-b", '""')
    ] = ""


class Sink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stand-in for the outside world and for our own mail server, in an example organisation only."""

    listen: Annotated[str, About("where mail for the outside world ends", _CLAUSE, '"127.0.0.1:2580"')]
    inside_listen: Annotated[str, About("where mail for our own people ends", _CLAUSE, '"127.0.0.1:2581"')]


def split_address(text: str) -> tuple[str, int] | None:
    """Return host and port of `host:port` or `[IPv6]:port`, or None when `text` is no such thing."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65_535:
        return None
    try:
        if host.startswith("[") and host.endswith("]"):
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        if host.replace(".", "").isdigit():
            return str(ipaddress.IPv4Address(host)), int(port)
    except ValueError:
        return None
    return (host, int(port)) if is_domain(host) else None


def gateway_mistakes(gateway: Gateway, *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with the gateway's table."""
    yield from domain_mistakes("gateway.hostname", gateway.hostname, _CLAUSE, example=example)
    for name in ("inside", "outside", "journal"):
        yield from listener_mistakes(f"gateway.{name}", getattr(gateway, name), example=example)
    for name in ("outbound_hop", "inbound_hop"):
        yield from _hop_mistakes(f"gateway.{name}", getattr(gateway, name), example=example)
    yield from _pair_mistakes(gateway)
    if not _LEAST_BYTES <= gateway.max_message_bytes <= _MOST_BYTES:
        yield Mistake(
            "gateway.max_message_bytes",
            _CLAUSE,
            f"found {gateway.max_message_bytes}, expected {_LEAST_BYTES} to {_MOST_BYTES}",
            "Write, for instance, max_message_bytes = 157286400.",
        )


def listener_mistakes(key: str, text: str, *, example: bool) -> Iterator[Mistake]:
    """Yield a mistake unless `text` is empty or can be listened on; port 0 (any free one) is for examples."""
    if not text:
        return
    address = split_address(text)
    if address is None:
        yield bad_address(key, text)
    elif address[1] == 0 and not example:
        yield Mistake(key, _CLAUSE, "port 0 is a different port at each start", "Write a fixed port.")


def _hop_mistakes(key: str, text: str, *, example: bool) -> Iterator[Mistake]:
    """Yield a mistake unless `text` is empty or a next hop that an example may reach."""
    if not text:
        return
    address = split_address(text)
    if address is None or address[1] == 0:
        yield bad_address(key, text)
    elif example and not is_harmless_host(address[0]):
        yield Mistake(
            key,
            _CLAUSE,
            f"{address[0]} is out in the world, and this is an example organisation",
            'Write the sink\'s address, for instance "127.0.0.1:2580".',
        )


def bad_address(key: str, text: str) -> Mistake:
    """Return the mistake for something that is not host:port."""
    return Mistake(
        key,
        _CLAUSE,
        f"{text[:60]!r} is not host:port",
        'Write, for instance, "127.0.0.1:2525" or "[::1]:2525".',
    )


def _pair_mistakes(gateway: Gateway) -> Iterator[Mistake]:
    """Yield a mistake for each half of a pair that needs its other half."""
    if gateway.inside and not gateway.outbound_hop:
        yield Mistake("gateway.outbound_hop", _CLAUSE, "is needed by gateway.inside", "Write its next hop.")
    if gateway.outside and not gateway.inbound_hop:
        yield Mistake("gateway.inbound_hop", _CLAUSE, "is needed by gateway.outside", "Write its next hop.")
    if bool(gateway.tls_certificate) != bool(gateway.tls_key):
        yield Mistake(
            "gateway.tls_key",
            "R-4.1-a",
            "and gateway.tls_certificate need each other",
            "Write both or neither.",
        )


def record_mistakes(record: RecordSettings) -> Iterator[Mistake]:
    """Yield what is wrong with the record's table."""
    folder = record.anchor_dir
    if folder and not (folder.isprintable() and PurePosixPath(folder).is_absolute()):
        yield Mistake(
            "record.anchor_dir",
            "R-2.1-b",
            "is not an absolute path",
            'Write, for instance, "/media/usb/anchor".',
        )


def sink_mistakes(sink: Sink | None, *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with the sink's table."""
    if sink is None:
        return
    if not example:
        yield Mistake("sink", _CLAUSE, "swallows mail and is for examples only", "Take the table out.")
    for name in ("listen", "inside_listen"):
        text = getattr(sink, name)
        address = split_address(text)
        if address is None:
            yield bad_address(f"sink.{name}", text)
        elif not is_harmless_host(address[0]):
            yield Mistake(
                f"sink.{name}",
                _CLAUSE,
                f"{address[0]} is reachable from outside",
                "Write a loopback address.",
            )
