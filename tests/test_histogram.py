"""Durations in buckets: what comes out is close to what went in."""

import random

import pytest

from core.histogram import LAST, bucket, quantile


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_quantile_is_at_most_a_tenth_off(share: float) -> None:
    rng = random.Random(7)
    durations = sorted(rng.lognormvariate(3, 1.5) for _ in range(20_000))
    counts: dict[int, int] = {}
    for each in durations:
        counts[bucket(each)] = counts.get(bucket(each), 0) + 1
    assert quantile(counts, share) == pytest.approx(durations[int(share * 20_000)], rel=0.1)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def test_no_duration_is_too_short_or_too_long() -> None:
    assert (bucket(-5), bucket(0), bucket(1e12)) == (0, 0, LAST)
