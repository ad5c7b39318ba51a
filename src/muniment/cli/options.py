"""Options and output every command shares: facts to stdout, talk to stderr, `--json` for machines."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def common(parser: argparse.ArgumentParser) -> None:
    """Add `--home` and `--json` to a command."""
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("MUNIMENT_HOME", "home")),
        help="the folder that holds the record and its settings (default: $MUNIMENT_HOME, else ./home)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")


def emit(args: argparse.Namespace, value: dict[str, Any], lines: Iterable[str]) -> None:
    """Print `value` as one JSON object with `--json`, else `lines`."""
    if args.json:
        print(json.dumps(value, ensure_ascii=False, sort_keys=True))
        return
    for line in lines:
        print(line)


class Progress:
    """Counts work done and says so on stderr at most five times a second; silent when stderr is no terminal."""

    def __init__(self, label: str, total: int | None) -> None:
        self.label, self.total, self.done = label, total, 0
        self._said = 0.0
        self._shows = sys.stderr.isatty()

    def advance(self, count: int = 1) -> None:
        """Add `count` finished items."""
        self.done += count
        if self._shows and time.monotonic() - self._said > 0.2:
            self._said = time.monotonic()
            self._say("\r")

    def _say(self, lead: str) -> None:
        of = f" of {self.total:,}" if self.total else ""
        sys.stderr.write(f"{lead}{self.label}: {self.done:,}{of}")
        sys.stderr.flush()

    def finish(self) -> None:
        """Leave the last count standing on a line of its own."""
        if self._shows:
            self._say("\r")
            sys.stderr.write("\n")


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Progress]:
    """Show progress of long work on stderr while the block runs."""
    bar = Progress(label, total)
    try:
        yield bar
    finally:
        bar.finish()
