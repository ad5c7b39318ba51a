"""Points this process's Django at one database after another; the tables are made once an engine and then copied."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.db import connections

from muniment.site.database import postgresql, sqlite

from .postgres import Cluster

_TEMPLATE = "migrated"
_NUMBERS = itertools.count(1)


def set_up() -> None:
    """Set Django up without a home."""
    os.environ.pop("MUNIMENT_HOME", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "muniment.site.settings"
    django.setup()


@contextmanager
def connected(database: dict[str, Any]) -> Iterator[None]:
    """Serve the block from this database."""
    before = connections.settings
    _use(connections.configure_settings({"default": dict(database)}))
    try:
        yield
    finally:
        _use(before)


def _use(settings: dict[str, dict[str, Any]]) -> None:
    connections.close_all()
    connections.settings = settings
    connections["default"] = connections.create_connection("default")


def migrate() -> None:
    """Make the tables."""
    call_command("migrate", interactive=False, verbosity=0)


class OnSqlite:
    """Databases in files, copied from one that has the tables."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "migrated.db"
        with connected(sqlite(self._template)):
            migrate()

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[dict[str, Any]]:
        shutil.copy(self._template, folder / "console.db")
        with connected(sqlite(folder / "console.db")):
            yield sqlite(folder / "console.db")


class OnPostgresql:
    """Databases of one cluster, copied from one that has the tables."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.do(f"CREATE DATABASE {_TEMPLATE}")
        with connected(postgresql(cluster.url(_TEMPLATE))):
            migrate()

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[dict[str, Any]]:
        name = f"test_{next(_NUMBERS)}"
        self._cluster.do(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        with connected(postgresql(self._cluster.url(name))):
            yield postgresql(self._cluster.url(name))
        self._cluster.do(f"DROP DATABASE {name}")
