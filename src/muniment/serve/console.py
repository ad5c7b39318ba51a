"""The console's process: `python -m muniment.serve.console HOME`, Django on granian (WSGI)."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread

from muniment.policy.errors import MunimentError, Unavailable
from muniment.policy.policyfile import load
from muniment.record.home import Home

_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the pages of the home named on the command line until SIGTERM."""
    parser = argparse.ArgumentParser(prog="muniment.serve.console", description=__doc__)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args(argv).home.absolute())
    try:
        host, _, text = load(home.policy_file).console.listen.rpartition(":")
        port = free_port(host, int(text))
    except MunimentError as error:
        print(f"muniment console: {error}", file=sys.stderr)
        return error.exit_code
    os.environ["MUNIMENT_HOME"] = str(home.path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "muniment.site.settings"

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        "muniment.serve.console_worker:application",
        address=host.strip("[]"),
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        log_access=False,
        log_level=LogLevels.warning,
    )
    server.on_startup(Thread(target=_say_ready, args=(host, port), daemon=True).start)
    server.serve()
    return 0


def free_port(host: str, port: int) -> int:
    """Return the port when nothing listens there, or a free one for 0: the server itself would share it unasked.

    Raises: Unavailable when something listens there already.
    """
    bare = host.strip("[]")
    try:
        with socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bare, port))
            probe.listen()
            return int(probe.getsockname()[1])
    except OSError as error:
        raise Unavailable(
            f"the console cannot listen on {host}:{port}: {error.strerror}; "
            "end what uses that port, or change console.listen in the policy file"
        ) from error


def _say_ready(host: str, port: int) -> None:
    """Say `ready` once a page is answered: the worker needs a moment after the server has started."""
    while True:
        connection = HTTPConnection(host.strip("[]"), port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/static/tokens.css")
            if connection.getresponse().status == HTTPStatus.OK:
                print(f"ready http://{host}:{port}/", flush=True)
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
