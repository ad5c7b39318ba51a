"""A copy of the console's database for a backup, taken beside the running console.

SQLite is copied by its own backup interface, page by page and consistent; PostgreSQL by `pg_dump`, which libpq gives
the password. Source: docs/formats/backup.md, "What is in it".
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from muniment.policy.errors import Missing, Unavailable
from muniment.policy.policyfile import PolicyFile
from muniment.record.backup.manifest import CONSOLE_DB, CONSOLE_DUMP
from muniment.record.home import Home

_DUMP_SECONDS = 3600


@contextmanager
def console_copy(home: Home, policy: PolicyFile) -> Iterator[list[tuple[str, Path]]]:
    """Yield (name in the backup, copy) of the console's database while the block runs; none before it was made.

    Raises:
        Unavailable: it cannot be copied now. Missing: `pg_dump` is not installed.
    """
    setting = policy.console.database
    if not setting and not home.console_db.exists():
        yield []
        return
    name = CONSOLE_DUMP if setting else CONSOLE_DB
    home.run.mkdir(mode=0o700, exist_ok=True)
    copy = home.run / f"backup-{name}"
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        if setting:
            _dump(setting, copy)
        else:
            _copy_sqlite(home.console_db, copy)
        yield [(name, copy)]
    finally:
        copy.unlink(missing_ok=True)


def _copy_sqlite(path: Path, copy: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=20)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise Unavailable(f"{path} cannot be copied: {error}; make room, or mend the disk") from error


def _dump(setting: str, copy: Path) -> None:
    command = ["pg_dump", "--format=custom", "--no-owner", f"--file={copy}", f"--dbname={setting}"]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=_DUMP_SECONDS, check=False)
    except FileNotFoundError:
        raise Missing(
            "the console's database is PostgreSQL and pg_dump is not installed; install postgresql-client"
        ) from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"pg_dump took more than {_DUMP_SECONDS} seconds; look at the database") from None
    if made.returncode:
        last = made.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise Unavailable(f"pg_dump failed: {last[0]}; the backup before stays as it was")
