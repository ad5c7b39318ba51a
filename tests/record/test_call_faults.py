"""System calls of a real process fail, and recorders are killed under load: nothing is lost. R-5.1-a, R-2.1-b.

`make soak` does the same at random places for half an hour.
"""

from __future__ import annotations

import random
from collections import Counter

from tests.record.call_faults import CALLS, Target, chosen
from tests.record.kills import Load


def test_every_kind_of_call_may_fail_and_nothing_acknowledged_is_lost(tmp_path):
    target = Target(tmp_path)
    reached: Counter[str] = Counter()
    acknowledged = 0
    for fault in chosen():
        outcome = target.break_with(fault)
        reached[fault.call] += outcome.is_reached
        acknowledged += outcome.acknowledged
    assert set(CALLS) - set(+reached) <= {"ftruncate"}  # only a start after a torn tail cuts
    assert acknowledged > 50


def test_a_recorder_killed_again_and_again_under_many_senders_loses_nothing(tmp_path):
    load = Load(tmp_path, random.Random(7))
    told = [load.kill_once() for _ in range(8)]
    assert min(told) > 0
