"""Where the console listens and by which names it is asked; its certificate, database, and a sign-in service.

Beyond this machine it listens with a certificate only: what is decided and read must not be seen on the way.

Source: R-5.1-a, R-4.1-a (what is not encrypted is not secure).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from .gateway import bad_address, split_address
from .particulars import domain_mistakes, line_mistakes
from .reserved import is_harmless_host
from .shape import About, Mistake

_CLAUSE, _TLS = "R-5.1-a", "R-4.1-a"
_MOST_NAMES = 10
_CLIENT = re.compile(r"[\x21-\x7e]{1,200}")


class OpenID(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The organisation's own sign-in service. It opens accounts that are there; it makes none."""

    name: Annotated[str, About("what people call the service", "R-4.1-f", '"Example sign-in"')]
    issuer: Annotated[str, About("its issuer, an https address", _TLS, '"https://id.training.example"')]
    client_id: Annotated[str, About("what it calls this console", "R-4.1-f", '"muniment"')]
    client_secret_file: Annotated[
        str,
        About("path of the file with the secret it gave this console", "R-4.1-f", '"/etc/muniment/openid"'),
    ]


class Console(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The console's address, certificate, names, database and sign-in service."""

    listen: Annotated[
        str,
        About("address and port; beyond this machine with a certificate only", _CLAUSE, '"127.0.0.1:8025"'),
    ] = "127.0.0.1:8025"
    certificate: Annotated[str, About("path of a PEM certificate chain; empty speaks no TLS", _TLS, '""')] = (
        ""
    )
    key: Annotated[str, About("path of the certificate's PEM key", _TLS, '""')] = ""
    names: Annotated[
        tuple[str, ...], About("the host names people ask for it by", _TLS, '["muniment.training.example"]')
    ] = ()
    database: Annotated[
        str, About("empty for SQLite in the home, or postgresql://user@host/name", _CLAUSE, '""')
    ] = ""
    openid: Annotated[
        OpenID | None, About("the organisation's own sign-in service", "R-4.1-f", "[console.openid]")
    ] = None


def console_mistakes(console: Console, *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with the console's table. What is found in `database` is never shown: it may be secret."""
    address = split_address(console.listen)
    if address is None:
        yield bad_address("console.listen", console.listen)
    elif not is_this_machine(address[0]) and not console.certificate:
        yield Mistake(
            "console.listen",
            _CLAUSE,
            "would offer the console beyond this machine without TLS",
            'Write "127.0.0.1:8025", or give it console.certificate, console.key and console.names.',
        )
    yield from _certificate_mistakes(console)
    yield from _name_mistakes(console, example=example)
    yield from _database_mistakes(console.database)
    if console.openid is not None:
        yield from _openid_mistakes(console.openid, example=example)


def is_this_machine(host: str) -> bool:
    """Tell whether `host` is this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address_of(console: Console) -> str:
    """Return the address people open it at."""
    if not console.certificate:
        return f"http://{console.listen}/"
    port = console.listen.rpartition(":")[2]
    return f"https://{console.names[0]}/" if port == "443" else f"https://{console.names[0]}:{port}/"


def _certificate_mistakes(console: Console) -> Iterator[Mistake]:
    """Yield a mistake unless certificate, key and names come together, each path absolute."""
    if bool(console.certificate) != bool(console.key):
        yield Mistake(
            "console.key", _TLS, "and console.certificate need each other", "Write both or neither."
        )
    if console.certificate and not console.names:
        yield Mistake(
            "console.names",
            _TLS,
            "is empty, and a certificate is for a name",
            'Write the name people type, for instance names = ["muniment.training.example"].',
        )
    for key in ("certificate", "key"):
        yield from _path_mistakes(f"console.{key}", getattr(console, key))


def _path_mistakes(key: str, text: str) -> Iterator[Mistake]:
    if text and not (text.isprintable() and PurePosixPath(text).is_absolute()):
        yield Mistake(
            key, _TLS, "is not an absolute path", 'Write, for instance, "/etc/muniment/console.pem".'
        )


def _name_mistakes(console: Console, *, example: bool) -> Iterator[Mistake]:
    """Yield a mistake for each name that is none, and when there are names without a certificate."""
    if console.names and not console.certificate:
        yield Mistake(
            "console.names",
            _TLS,
            "without console.certificate",
            "Give the console a certificate, or take the names out: on this machine it answers to localhost.",
        )
    if len(console.names) > _MOST_NAMES:
        yield Mistake("console.names", _TLS, f"has more than {_MOST_NAMES}", "Leave out what nobody types.")
    for number, name in enumerate(console.names, start=1):
        yield from domain_mistakes(f"console.names[{number}]", name, _TLS, example=example)


def _openid_mistakes(openid: OpenID, *, example: bool) -> Iterator[Mistake]:
    """Yield what is wrong with the table of the sign-in service."""
    yield from line_mistakes("console.openid.name", openid.name, "R-4.1-f")
    yield from _issuer_mistakes(openid.issuer, example=example)
    if not _CLIENT.fullmatch(openid.client_id):
        yield Mistake(
            "console.openid.client_id",
            "R-4.1-f",
            "is not 1 to 200 plain characters",
            "Copy it from the sign-in service.",
        )
    yield from _path_mistakes("console.openid.client_secret_file", openid.client_secret_file or " ")


def _issuer_mistakes(issuer: str, *, example: bool) -> Iterator[Mistake]:
    """Yield a mistake unless the issuer is reached over TLS, or is on this machine in an example."""
    key = "console.openid.issuer"
    try:
        parts = urlsplit(issuer)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    is_here = example and parts.scheme == "http" and is_this_machine(host)
    if not host or (parts.scheme != "https" and not is_here) or parts.query or parts.fragment:
        yield Mistake(
            key,
            _TLS,
            "is not an https address",
            'Write, for instance, issuer = "https://id.training.example".',
        )
    elif example and not is_harmless_host(host):
        yield Mistake(
            key,
            _TLS,
            f"{host} is out in the world, and this is an example organisation",
            "Use a service on this machine, or take the table out.",
        )


def _database_mistakes(database: str) -> Iterator[Mistake]:
    """Yield a mistake unless `database` is empty or a PostgreSQL address without a password in it."""
    if not database:
        return
    try:
        parts = urlsplit(database)
        is_postgres, has_password = parts.scheme == "postgresql", parts.password is not None
    except ValueError:
        is_postgres, has_password = False, False
    if not is_postgres:
        yield Mistake(
            "console.database", _CLAUSE, "is not a postgresql:// address", 'Write database = "" for SQLite.'
        )
    elif has_password or "password=" in parts.query:
        yield Mistake(
            "console.database",
            _CLAUSE,
            "has a password in it",
            "Take it out and put it in a password file (~/.pgpass), readable by its owner only.",
        )
