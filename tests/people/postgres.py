"""A PostgreSQL cluster of the tests' own, from the system's binaries: on a socket only, gone when the tests end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

USER = "muniment"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Cluster:
    """A running cluster; `socket_dir` is a short path, because a socket's name may have 107 bytes only."""

    socket_dir: Path

    def url(self, database: str) -> str:
        """Return the address of a database as `[console] database` takes it."""
        return f"postgresql://{USER}@/{database}?host={self.socket_dir}"

    def do(self, statement: str) -> None:
        """Run one statement outside a transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a cluster; as root its processes belong to `postgres`, because PostgreSQL refuses root."""
    folder = Path(tempfile.mkdtemp(prefix="mpg", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    try:
        with _server(folder) as process:
            found = Cluster(folder)
            _await(found, process)
            yield found
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    data = folder / "data"
    subprocess.run(
        [_binary("initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=folder,
        **_owner(),
    )
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [_binary("postgres"), "-D", data, *options], stdout=log, stderr=log, cwd=folder, **_owner()
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        process.wait(START_SECONDS)


def _await(found: Cluster, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return found.do("SELECT 1")
        except psycopg.OperationalError:
            log = (found.socket_dir / "log").read_text()
            assert process.poll() is None and time.monotonic() < deadline, log
            time.sleep(0.05)


def _binary(name: str) -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    assert found, "PostgreSQL is not installed; run tests/install-servers as root once"
    return found[-1]


def _owner() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
