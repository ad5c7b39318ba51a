"""The databases of `tests/people`, and a desk: a home with its recorder, people, mail, and permits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.people.conftest import database, on_postgresql, on_sqlite, postgres
from tests.people.database import OnSqlite
from tests.permit.desk import Desk, opened

__all__ = ["database", "on_postgresql", "on_sqlite", "postgres"]


@pytest.fixture
def desk(tmp_path: Path, on_sqlite: OnSqlite) -> Iterator[Desk]:
    with on_sqlite.fresh(tmp_path), opened(tmp_path) as found:
        yield found


@pytest.fixture
def desk_on_each(tmp_path: Path, database: dict[str, Any]) -> Iterator[Desk]:
    with opened(tmp_path) as found:
        yield found
