"""What the gateway is told at its start: doors, hops, limits; and the view of the snapshot it decides by.

The view is one immutable value that is swapped whole; every Decision names its digest.
"""

from __future__ import annotations

import ipaddress
import ssl
from datetime import date, datetime
from pathlib import Path

import msgspec

from muniment.guard.mail.direction import Door, fold_domain
from muniment.people.moment import LONDON
from muniment.people.snapshot import load_current
from muniment.policy.errors import BadInput, Refused
from muniment.policy.gateway import Gateway as GatewayTable
from muniment.policy.gateway import HopTLS, split_address
from muniment.policy.particulars import Particulars
from muniment.policy.policyfile import PolicyFile
from muniment.policy.shield import Shielding
from muniment.policy.streams import require_row
from muniment.record.home import Home


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Times and sizes that keep one client or hop from holding up the others. Source: RFC 5321 section 4.5.3.2."""

    connect_seconds: float = 10.0
    reply_seconds: float = 60.0
    end_of_data_seconds: float = 600.0
    client_seconds: float = 300.0
    record_seconds: float = 60.0
    drain_seconds: float = 15.0
    memory_bytes: int = 512 << 20
    reading_ahead_bytes: int = 256 << 10


class HopAddress(msgspec.Struct, frozen=True):
    """Where the next hop is, and whether TLS is spoken to it."""

    host: str
    port: int
    tls: HopTLS

    def __str__(self) -> str:
        """Return host:port."""
        return f"{self.host}:{self.port}"


class Listener(msgspec.Struct, frozen=True):
    """One door: where it listens and where its mail goes next; the journal has no next hop."""

    door: Door
    host: str
    port: int
    hop: HopAddress | None = None


class View(msgspec.Struct, frozen=True):
    """What decisions are made by: our folded domains, our particulars, and the digest of the snapshot they are of.

    `shielding` says which messages are counted, not opened, by an ordinary search.
    """

    digest: str
    domains: frozenset[str]
    particulars: Particulars
    shielding: Shielding = Shielding()


class Settings(msgspec.Struct, frozen=True):
    """Everything the gateway reads at its start."""

    hostname: str
    max_message_bytes: int
    listeners: tuple[Listener, ...]
    limits: Limits
    is_example: bool
    tls: ssl.SSLContext | None = None


def load_view(home: Home) -> View:
    """Return the view of the snapshot that is current now.

    Raises:
        Missing, Unavailable, Tampered: there is none, or it is not what its name promises.
    """
    with load_current(home.snapshot_dir) as snapshot:
        domains = frozenset(fold_domain(domain) for domain in snapshot.head.domains)
        return View(snapshot.digest, domains, snapshot.footer, Shielding(snapshot.head.protected))


def settings_of(policy: PolicyFile, limits: Limits) -> Settings:
    """Return the gateway's settings out of the policy file; a door whose stream may not start stays closed.

    Raises:
        BadInput: no door is open, or the certificate and key cannot be read.
        Refused: the register of streams keeps every door closed.
    """
    table = policy.gateway
    listeners = tuple(_listeners(table))
    if not listeners:
        raise BadInput(
            "no door of the gateway is open; write gateway.inside, gateway.outside or gateway.journal"
        )
    refusals = refused_doors(policy, datetime.now(LONDON).date())
    if len(refusals) == len(listeners):
        raise next(iter(refusals.values()))
    listeners = tuple(each for each in listeners if each.door not in refusals)
    tls = server_tls(Path(table.tls_certificate), Path(table.tls_key)) if table.tls_certificate else None
    return Settings(table.hostname, table.max_message_bytes, listeners, limits, policy.example, tls)


def refused_doors(policy: PolicyFile, today: date) -> dict[Door, Refused]:
    """Return why doors named in the policy file stay closed: their stream has no whole row in the register.

    Source: R-5.1-c.
    """
    refusals: dict[Door, Refused] = {}
    for listener in _listeners(policy.gateway):
        stream = "mail-journal" if listener.door is Door.JOURNAL else "mail-gateway"
        try:
            require_row(policy.streams, stream, today)
        except Refused as refusal:
            refusals[listener.door] = refusal
    return refusals


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context clients' STARTTLS is answered with.

    Raises:
        BadInput: the files are not there or are no certificate and key.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(
            f"the gateway's certificate {certificate} and key {key} cannot be used: {error}; "
            "mend gateway.tls_certificate and gateway.tls_key, or leave both empty"
        ) from error
    return context


def is_loopback(host: str) -> bool:
    """Whether an IP address, with or without a zone, is this machine's own."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _listeners(table: GatewayTable) -> list[Listener]:
    doors = (
        (Door.INSIDE, table.inside, table.outbound_hop),
        (Door.OUTSIDE, table.outside, table.inbound_hop),
        (Door.JOURNAL, table.journal, ""),
    )
    found: list[Listener] = []
    for door, address, hop in doors:
        if address:
            host, port = _split(address)
            found.append(Listener(door, host, port, HopAddress(*_split(hop), table.hop_tls) if hop else None))
    return found


def _split(address: str) -> tuple[str, int]:
    found = split_address(address)
    if found is None:
        raise BadInput(f"{address!r} is not host:port; write, for instance, 127.0.0.1:2525")
    return found
