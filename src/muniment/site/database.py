"""The console's database as Django wants it: SQLite in the home, or PostgreSQL when `[console] database` says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# Write-ahead logging lets a page read while an import writes; a writer that must wait says so early.
_SQLITE_OPTIONS = {
    "init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=full;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}


def sqlite(path: Path) -> dict[str, Any]:
    """Return the settings of an SQLite database at `path`."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": dict(_SQLITE_OPTIONS)}


def postgresql(url: str) -> dict[str, Any]:
    """Return the settings of `postgresql://user@host:port/name?option=value`.

    A password is never in it: libpq finds it in ~/.pgpass or the service file. The socket's folder stands in
    `?host=/var/run/postgresql`.
    """
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    found = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": options.pop("port", str(parts.port or "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
    return {name: value for name, value in found.items() if value != ""}


def in_memory() -> dict[str, Any]:
    """Return the settings of a database that goes with the process; for type checkers and tests."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


def database_of(setting: str, path: Path) -> dict[str, Any]:
    """Return the settings of the database the policy file names, `path` when it names none."""
    return postgresql(setting) if setting else sqlite(path)
