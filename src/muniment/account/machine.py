"""Asks the machine how it is: which processes answer, how much room the disk has, which database the console uses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from django.db import connection

from muniment.account.asking import ask
from muniment.account.health import Disk, Process, gateway_says
from muniment.account.record_state import in_bytes
from muniment.policy.errors import MunimentError, Unavailable
from muniment.policy.policyfile import PolicyFile
from muniment.record.client import Recorder
from muniment.record.home import Home

_SECONDS = 2.0


def status_of(home: Home) -> dict[str, Any] | str:
    """Return what the recorder says of the record, or why it says nothing."""
    try:
        with Recorder(home.socket, timeout_seconds=_SECONDS) as recorder:
            return recorder.status()
    except MunimentError as error:
        return str(error)


def processes_of(home: Home, policy: PolicyFile, *, recorder_answers: bool) -> tuple[Process, ...]:
    """Return the processes this home needs, each with whether it answers now."""
    found = [Process("recorder", recorder_answers, "Takes and seals every entry")]
    if policy.gateway.inside or policy.gateway.outside or policy.gateway.journal:
        found.append(_asked("mail gateway", home.run / "gateway.sock", {"op": "status"}))
    if policy.example and policy.sink is not None:
        found.append(_asked("outside world", home.run / "sink.sock", {"op": "status"}))
    found.append(Process("console", True, "Made this page"))
    rooms = sum(1 for _ in home.run.glob("room-*.sock"))
    if rooms:
        found.append(Process("rooms", True, f"{rooms} running; each reads under one permit"))
    return tuple(found)


def disk_of(home: Home) -> Disk:
    """Return the room on the disk the record lies on."""
    usage = shutil.disk_usage(home.record if home.record.exists() else home.path)
    return Disk(usage.total - usage.free, usage.total)


def database_of(home: Home) -> str:
    """Return which database holds the console's rows, and its size where a file can be measured."""
    if connection.vendor != "sqlite":
        return "PostgreSQL"
    size = home.console_db.stat().st_size if home.console_db.exists() else 0
    return f"SQLite in the home, {in_bytes(size)}"


def _asked(name: str, path: Path, question: dict[str, Any]) -> Process:
    try:
        answer = ask(path, question, _SECONDS)
    except Unavailable:
        return Process(name, False, "Does not answer")
    if name == "mail gateway":
        return Process(name, True, gateway_says(answer))
    return Process(name, True, "Keeps what arrives, and sends nothing on")
