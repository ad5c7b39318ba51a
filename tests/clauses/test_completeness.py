"""A clause that is marked as met by code is met by code that cites it, and tried by a test that cites it."""

from __future__ import annotations

import pytest

from muniment.policy.clauses import How
from muniment.policy.trace import Trace, traces

CONTROLLED = [trace for trace in traces().values() if trace.clause.how is How.CONTROL]


@pytest.mark.parametrize("trace", CONTROLLED, ids=lambda trace: trace.clause.id)
def test_a_control_is_cited_by_its_own_code_and_by_a_test(trace: Trace) -> None:
    clause = trace.clause
    assert trace.control_code, f"no module of {', '.join(clause.control)} cites {clause.id} in its docstring"
    assert trace.tests, f"no test cites {clause.id}; write its story in tests/clauses"


@pytest.mark.parametrize("trace", CONTROLLED, ids=lambda trace: trace.clause.id)
def test_each_module_named_as_control_exists_in_the_package(trace: Trace) -> None:
    from importlib.util import find_spec

    assert all(find_spec(module) is not None for module in trace.clause.control), trace.clause.control
