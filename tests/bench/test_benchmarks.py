"""Each benchmark in little: what it sends is stored and seen. How fast is nobody's concern here."""

from math import isfinite

import pytest

from bench.stack import Stack
from bench.suite import BENCHMARKS, measure_all
from bench.wish import Wish

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_all_that_a_benchmark_sends_is_stored_and_seen(stack: Stack, tiny: Wish, name: str) -> None:
    found = dict(measure_all(stack, tiny, [name]))
    run = found[name][0]
    assert run.doubts == []
    assert [figure for figure, value in run.figures.items() if not isfinite(value)] == []
