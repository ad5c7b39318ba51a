"""Every disk call of a record's life fails, with and without having stored: nothing is lost. R-5.1-a, R-2.1-b.

Here the recorder goes on after every other failure and is killed after the rest; `python -m
tests.record.fault_matrix` does both each time.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.record.fault_matrix import sweeping, table
from tests.record.fault_stages import STAGES

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "faults.md"


@pytest.mark.parametrize("name", STAGES)
def test_every_disk_call_may_fail_and_nothing_acknowledged_is_lost(name: str) -> None:
    with sweeping(name) as sweep:
        assert len(sweep.steps) > 5
        failures = sum(
            sweep.break_at(fault).failures
            for fault in sweep.faults()
            if fault.dies == bool((fault.at + fault.stored) % 2)
        )
        assert failures > 0


def test_the_page_names_every_step_that_is_broken() -> None:
    steps = {}
    for name in STAGES:
        with sweeping(name) as sweep:
            steps[name] = sweep.steps
    assert table(steps) in PAGE.read_text(), "run `python -m tests.record.fault_matrix --steps`"
