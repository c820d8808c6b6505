"""Percentiles, medians, and which runs count."""

from bench.figures import Run, medians, percentile


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, percent) for percent in (50, 99, 100)] == [50, 99, 100]


def test_runs_that_are_in_doubt_are_in_no_median() -> None:
    runs = [Run({"a": 1.0}), Run({"a": 3.0}), Run({"a": 99.0}, ["an event was lost"])]
    assert medians(runs) == {"a": 2.0}
    assert medians(runs[2:]) == {}
