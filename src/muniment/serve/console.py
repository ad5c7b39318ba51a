"""The console's process: `python -m muniment.serve.console HOME`, Django on granian (WSGI).

With a certificate it speaks TLS 1.3 and nothing else; without one the policy file lets it listen on this machine only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from threading import Thread
from typing import Any

from muniment.policy.console import Console, address_of
from muniment.policy.errors import BadInput, MunimentError, Unavailable
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
        console = load(home.policy_file).console
        certificate = certificate_of(console)
        host, _, text = console.listen.rpartition(":")
        port = free_port(host, int(text))
    except MunimentError as error:
        print(f"muniment console: {error}", file=sys.stderr)
        return error.exit_code
    os.environ["MUNIMENT_HOME"] = str(home.path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "muniment.site.settings"
    _serve(console, host, port, certificate)
    return 0


def _serve(console: Console, host: str, port: int, certificate: dict[str, Path]) -> None:
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
        **certificate,  # type: ignore[arg-type]
    )
    server.on_startup(Thread(target=_say_ready, args=(console, host, port), daemon=True).start)
    server.serve()


def certificate_of(console: Console) -> dict[str, Path]:
    """Return the server's settings for TLS; empty when the policy file names no certificate.

    Raises: BadInput when certificate and key cannot be read, do not belong together, or others can read the key.
    """
    if not console.certificate:
        return {}
    certificate, key = Path(console.certificate), Path(console.key)
    try:
        if key.stat().st_mode & 0o077:
            raise BadInput(f"{key} can be read by others; expected its owner only: chmod 600 {key}")
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"the console's certificate {certificate} and key {key} cannot be used: {reason}; "
            "expected a PEM chain and its PEM key without a password"
        ) from error
    return {"ssl_cert": certificate, "ssl_key": key}


def _no_password() -> str:
    raise ValueError("the key has a password")


def free_port(
    host: str,
    port: int,
    who: str = "the console",
    mend: str = "end what uses that port, or change console.listen in the policy file",
) -> int:
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
        raise Unavailable(f"{who} cannot listen on {host}:{port}: {error.strerror}; {mend}") from error


def _say_ready(console: Console, host: str, port: int) -> None:
    """Say `ready` once a page is answered: the worker needs a moment after the server has started.

    Nothing is done before the worker's process is there. It is forked, and a lock this thread holds at that moment,
    such as one of an import, would stay locked in it for ever.
    """
    while not multiprocessing.active_children():
        time.sleep(_PAUSE_SECONDS)
    while True:
        connection = _connection(console, host, port)
        try:
            connection.request("GET", "/static/tokens.css", headers={"Host": "localhost"})
            if connection.getresponse().status == HTTPStatus.OK:
                place = address_of(console) if console.certificate else f"http://{host}:{port}/"
                print(f"ready {place}", flush=True)
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_PAUSE_SECONDS)


def _connection(console: Console, host: str, port: int) -> HTTPConnection:
    """Return a connection to ourselves, where a certificate proves nothing and is not looked at."""
    reached = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - a name to compare
    if not console.certificate:
        return HTTPConnection(reached, port, timeout=_ANSWER_SECONDS)
    context: Any = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection(reached, port, timeout=_ANSWER_SECONDS, context=context)


if __name__ == "__main__":
    sys.exit(main())
