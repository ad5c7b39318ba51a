"""The console's secret key: a file of its own, made once by `prepare`, readable by its owner only."""

from __future__ import annotations

import secrets
from pathlib import Path

from muniment.policy.errors import BadInput, Missing, Unavailable
from muniment.record.disk import Disk

_KEY_BYTES = 48
_SHORTEST = 50


def create(path: Path) -> None:
    """Make the key unless it is there."""
    if not path.exists():
        Disk().create_durable(path, f"{secrets.token_urlsafe(_KEY_BYTES)}\n".encode(), 0o600)


def read(path: Path) -> str:
    """Return the key.

    Raises: Missing when it was not made; BadInput when others can read it or it is too short to be one.
    """
    try:
        text, mode = path.read_text("ascii").strip(), path.stat().st_mode
    except FileNotFoundError as error:
        raise Missing(f"{path} is not there; `muniment up` makes it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"{path} cannot be read; mend its permissions, or take it away") from error
    if mode & 0o077:
        raise BadInput(f"{path} can be read by others; expected its owner only: chmod 600 {path}")
    if len(text) < _SHORTEST:
        raise BadInput(
            f"{path} has {len(text)} characters, expected {_SHORTEST}; take it away, `muniment up` makes it"
        )
    return text
