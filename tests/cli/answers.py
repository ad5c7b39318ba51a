"""The answers to `muniment init` that tests give, as a file and as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

ANSWERS = {
    "name": "Example Training Ltd",
    "company_number": "01234567",
    "part_of_uk": "England and Wales",
    "registered_office": "1 Example Street, Exampletown EX1 1EX",
    "domains": "training.example",
    "managing_director": "Morgan Example <morgan@training.example>",
    "office_manager": "Olive Example <olive@training.example>",
    "alternate": "Chris Example <chris@chair.example>",
    "outbound_hop": "127.0.0.1:2580",
    "inbound_hop": "127.0.0.1:2581",
    "review_due": "2031-11-01",
    "anchor_dir": "",
}


def answers_file(folder: Path, **changes: str) -> Path:
    """Write the answers as a TOML file and return its path."""
    path = folder / "answers.toml"
    given = {**ANSWERS, **changes}
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items()))
    return path
