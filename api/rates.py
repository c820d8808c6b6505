"""Counts of stretches of time as rates."""

from collections.abc import Sequence
from datetime import UTC, datetime

from core.schema.admin import Bucket, FunctionRate
from core.statistics import (
    DONE,
    EVENTS,
    FAILED,
    LATENCY,
    RETRIED,
    TOOK,
    Span,
    duration_quantile,
    total,
)

OUTCOMES = (DONE, FAILED, RETRIED)


def _minutes(did: Sequence[Span], at: datetime) -> float:
    """How long these stretches lasted, of which the last one still lasts."""
    return max((at.timestamp() - did[0].begin_s) / 60, 1.0) if did else 1.0


def per_min(did: Sequence[Span], name: str, at: datetime) -> float:
    """How often a minute something was counted."""
    return round(total(did, name) / _minutes(did, at), 1)


def function_rates(did: Sequence[Span], at: datetime) -> list[FunctionRate]:
    """What each task did, by its name."""
    names = {name for span in did for name in span.counts}
    tasks = {name.partition(":")[2] for name in names if name.partition(":")[0] in OUTCOMES}
    return [_rate(did, task, at) for task in sorted(tasks - {""})]


def _rate(did: Sequence[Span], task: str, at: datetime) -> FunctionRate:
    return FunctionRate(
        function=task,
        done_per_min=per_min(did, f"{DONE}:{task}", at),
        failed_per_min=per_min(did, f"{FAILED}:{task}", at),
        retried_per_min=per_min(did, f"{RETRIED}:{task}", at),
        p50_ms=duration_quantile(did, f"{TOOK}:{task}", 0.5),
        p99_ms=duration_quantile(did, f"{TOOK}:{task}", 0.99),
    )


def bucket(span: Span) -> Bucket:
    """A stretch of time as a chart shows it."""
    return Bucket(
        at=datetime.fromtimestamp(span.begin_s, UTC),
        done=span.counts.get(DONE, 0),
        failed=span.counts.get(FAILED, 0),
        retried=span.counts.get(RETRIED, 0),
        events=span.counts.get(EVENTS, 0),
        latency_p50_ms=duration_quantile([span], LATENCY, 0.5),
        latency_p99_ms=duration_quantile([span], LATENCY, 0.99),
    )
