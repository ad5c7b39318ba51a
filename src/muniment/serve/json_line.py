"""A process's window for people's commands: a UNIX socket that takes one JSON line and answers one JSON line.

Only the process's own user can open it. Nothing that is sealed ever passes here.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from muniment.policy.errors import BadInput, MunimentError, Unavailable, kind_of
from muniment.record.client import short_path

LINE_LIMIT_BYTES = 1 << 20
_ANSWER_SECONDS = 30.0

Answer = Callable[[dict[str, Any]], dict[str, Any]]


async def serve_lines(path: Path, answer: Answer) -> asyncio.Server:
    """Listen at `path`; `answer` turns each question into an answer or raises one of our errors."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                line = await reader.readuntil(b"\n")
                writer.write(json.dumps(_answered(answer, line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with short_path(path) as name:
        server = await asyncio.start_unix_server(converse, name, limit=LINE_LIMIT_BYTES)
    path.chmod(0o600)
    return server


def _answered(answer: Answer, line: bytes) -> dict[str, Any]:
    try:
        question = json.loads(line)
        if not isinstance(question, dict):
            raise BadInput("a question is one JSON object on one line")
        return answer(question)
    except MunimentError as error:
        return {"error": str(error), "exit_code": error.exit_code}
    except (ValueError, RecursionError) as error:
        return {"error": f"the question is not JSON: {error}", "exit_code": BadInput.exit_code}


def ask_line(path: Path, question: dict[str, Any], who: str) -> dict[str, Any]:
    """Put one question to the process `who` that listens at `path` and return its answer.

    Raises:
        Unavailable: it does not answer.
        MunimentError: it says so.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection, short_path(path) as name:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(name)
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile("rb") as lines:
                reply = json.loads(lines.readline())
    except (OSError, ValueError) as error:
        raise Unavailable(f"{who} does not answer at {path}; start it with `muniment up`") from error
    if "error" in reply:
        raise kind_of(int(reply["exit_code"]))(reply["error"])
    return dict(reply)
