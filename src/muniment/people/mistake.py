"""One thing wrong in a file of people: where it stands, what was found, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass

_SHOWN = 60


@dataclass(frozen=True, order=True)
class Mistake:
    """`row` counts as a spreadsheet does: the heading is row 1."""

    row: int
    column: str
    found: str
    wrong: str
    mend: str

    def __str__(self) -> str:
        """Return the sentence a person reads."""
        return f"row {self.row}, column {self.column}: found {shown(self.found)}, {self.wrong}. {self.mend}"

    def as_dict(self) -> dict[str, str | int]:
        """Return the parts by name."""
        return asdict(self)


def shown(found: str) -> str:
    """Return what was found as one short quoted word, safe for a terminal."""
    if not found:
        return "nothing"
    short = found[:_SHOWN] + ("…" if len(found) > _SHOWN else "")
    return f"“{short}”" if short.isprintable() else ascii(short)
