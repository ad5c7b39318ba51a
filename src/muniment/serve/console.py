"""The console's process: `python -m muniment.serve.console HOME`, Django on granian (WSGI)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from muniment.policy.errors import MunimentError
from muniment.policy.policyfile import load
from muniment.record.home import Home


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the pages of the home named on the command line until SIGTERM."""
    parser = argparse.ArgumentParser(prog="muniment.serve.console", description=__doc__)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args(argv).home.absolute())
    try:
        host, _, port = load(home.policy_file).console.listen.rpartition(":")
    except MunimentError as error:
        print(f"muniment console: {error}", file=sys.stderr)
        return error.exit_code
    os.environ["MUNIMENT_HOME"] = str(home.path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "muniment.site.settings"

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        "muniment.site.wsgi:application",
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        log_access=False,
        log_level=LogLevels.warning,
    )
    server.on_startup(lambda: print(f"ready http://{host}:{port}/", flush=True))
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
