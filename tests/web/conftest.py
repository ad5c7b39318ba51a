"""What the sweeps share: a database with tables, in this process."""

from tests.site.conftest import database, on_sqlite

__all__ = ["database", "on_sqlite"]
