"""docs/trust.md says of each seal what the code says."""

from __future__ import annotations

from muniment.record.seals import SEALED_FIELDS
from tests.house.tree import DOCS

BEGIN, END = "<!-- seals: begin -->", "<!-- seals: end -->"


def table() -> str:
    """Return the table of the seals as Markdown."""
    rows = ["| what | seal | opened by |", "| --- | --- | --- |"]
    return "\n".join(
        rows + [f"| {field} | {seal} | {opened_by} |" for field, seal, opened_by in SEALED_FIELDS]
    )


def test_the_page_of_trust_lists_each_field_under_the_seal_the_code_gives_it() -> None:
    text = (DOCS / "trust.md").read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == table(), "copy the table of test_trust.table()"
