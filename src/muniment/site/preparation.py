"""Makes a home ready for the console: the key, the tables, the first snapshot. `init` and `up` call `prepare`.

It runs as a process of its own, `python -m muniment.site.preparation HOME`, so that Django stays out of its callers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from muniment.policy.errors import MunimentError, Unavailable
from muniment.policy.policyfile import load
from muniment.record.home import Home
from muniment.site import key
from muniment.site.attach import attached

_SECONDS = 120


def prepare(home: Home, *, example_people: bool = False) -> None:
    """Make or mend the console's part of a home; safe to repeat. `example_people` adds them to an example's register.

    Raises: Unavailable when it cannot be made, with what was said.
    """
    command = [sys.executable, "-m", "muniment.site.preparation", str(home.path)]
    command += ["--example-people"] if example_people else []
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["it said nothing"]
        raise Unavailable(f"the console's database is not ready: {lines[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"the console's database was not ready after {_SECONDS} seconds; try again"
        ) from error


def prepare_here(home: Home, *, example_people: bool = False) -> None:
    """Do the work in this process, which serves this home from now on."""
    policy = load(home.policy_file)
    key.create(home.path / "console.key")
    with attached(home):
        from django.core.management import call_command
        from django.db import connections

        from muniment.people.account_example import make_example_accounts
        from muniment.people.compiler import compile_snapshot

        call_command("migrate", interactive=False, verbosity=0)
        call_command("clearsessions")
        if example_people:
            make_example_accounts(home, policy, datetime.now(UTC))
        compile_snapshot(policy, home)
        connections.close_all()


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare the home named on the command line."""
    parser = argparse.ArgumentParser(prog="muniment.site.preparation", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--example-people", action="store_true", help="add them, in an example organisation")
    args = parser.parse_args(argv)
    try:
        prepare_here(Home(args.home.absolute()), example_people=args.example_people)
    except MunimentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
