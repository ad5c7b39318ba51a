"""Each test that asks for `database` runs on SQLite and on PostgreSQL, each time with empty tables of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import database as databases
from .postgres import Cluster, cluster

databases.set_up()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> databases.OnSqlite:
    return databases.OnSqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def on_postgresql(postgres: Cluster) -> databases.OnPostgresql:
    return databases.OnPostgresql(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    engine = request.getfixturevalue(f"on_{request.param}")
    with engine.fresh(tmp_path) as found:
        yield found
