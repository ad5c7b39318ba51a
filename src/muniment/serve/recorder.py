"""The recorder's process: `python -m muniment.serve.recorder HOME`.

It drops what a thief of its memory or its swap could use: no core dumps, not to be traced, memory locked where the
machine allows. The machine secret comes from the keeper's sheet, a credential file or, in an example, the home.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from muniment.policy.errors import MunimentError
from muniment.record import machine
from muniment.record.home import Home
from muniment.record.opening import open_record
from muniment.record.server import RecorderServer
from muniment.record.witnessed.startup import ask_witnesses
from muniment.serve.private_memory import keep_private
from muniment.serve.sealing_crew import Crew, spare_cores

_SECRET_DESCRIPTOR = "MUNIMENT_MACHINE_SECRET_FD"  # noqa: S105 - the name of a variable, no secret


def find_secret(home: Home) -> bytes:
    """Return the machine secret: handed over by `muniment up` on a pipe, or found as `machine.find` says."""
    descriptor = os.environ.pop(_SECRET_DESCRIPTOR, "")
    if descriptor:
        with os.fdopen(int(descriptor), "rb") as pipe:
            return pipe.read(32)
    return machine.find(home, os.environ, None)


async def serve(home: Home, secret: bytes) -> None:
    """Record until SIGTERM or SIGINT."""
    record = open_record(home, secret, ask_witnesses=ask_witnesses)
    for warning in record.warnings:
        print(f"muniment recorder: {warning}", file=sys.stderr, flush=True)
    crew = record.record.parts.sealer = Crew(spare_cores())
    try:
        await _serve(home, RecorderServer(record))
    finally:
        crew.close()


async def _serve(home: Home, server: RecorderServer) -> None:
    await server.start()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    print(f"ready {home.socket}", flush=True)
    await stopping.wait()
    await server.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the recorder of the home named on the command line."""
    parser = argparse.ArgumentParser(prog="muniment.serve.recorder", description=__doc__)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args(argv).home.absolute())
    keep_private(lock=True)
    try:
        asyncio.run(serve(home, find_secret(home)))
    except MunimentError as error:
        print(f"muniment recorder: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
