"""What the tests of the site share: a database with tables, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import ScryptPasswordHasher
from django.test import override_settings

from tests.people import database as databases

databases.set_up()


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> databases.OnSqlite:
    return databases.OnSqlite(tmp_path_factory.mktemp("sqlite"))


class QuickScrypt(ScryptPasswordHasher):
    """The console's hash of passwords, made to cost little."""

    work_factor = 2**4


@pytest.fixture
def database(on_sqlite: databases.OnSqlite, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Give an empty database to this process, and no try counted yet."""
    from django.core.cache import cache

    cache.clear()
    quick = [f"{__name__}.{QuickScrypt.__qualname__}"]
    with on_sqlite.fresh(tmp_path) as found, override_settings(PASSWORD_HASHERS=quick):
        yield found
