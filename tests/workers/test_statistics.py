"""What workers count: added up across workers, and never more than the truth for long."""

import asyncio
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as LostConnection

from core.done_jobs import DoneJob, select_done
from core.statistics import (
    MINUTE_S,
    TEN_MINUTES_S,
    duration_quantile,
    heard,
    repeated,
    spans,
    total,
)
from tests.fields import Field
from tests.workers.conftest import Range, eventually
from workers.deps import Deps
from workers.statistics import Statistics

AT = datetime(2026, 5, 1, 10, 0, 30, tzinfo=UTC)


def done(job_id: str, took_ms: float = 10.0) -> DoneJob:
    """A job that was done."""
    return DoneJob(job_id, "correlate", [3], None, None, AT, took_ms, 1)


async def test_what_two_workers_count_adds_up(valkey: Redis) -> None:
    for name in ("a", "b"):
        statistics = Statistics()
        statistics.job_done(done(name))
        statistics.job_failed("score_shots", 5.0)
        await statistics.flush(valkey, AT)
    for width in (MINUTE_S, TEN_MINUTES_S):
        last = (await spans(valkey, width, 2, AT))[-1:]
        assert (total(last, "done"), total(last, "failed")) == (2, 2)
    assert {job.id for job in await select_done(valkey)} == {"a", "b"}


async def test_what_was_added_is_not_added_again(valkey: Redis) -> None:
    statistics = Statistics()
    statistics.job_retried("correlate", 1.0)
    for _ in range(3):
        await statistics.flush(valkey, AT)
    assert total(await spans(valkey, MINUTE_S, 1, AT), "retried") == 1


async def test_what_a_worker_did_is_counted_since_it_started_and_apart_from_what_it_gave_up(
    valkey: Redis,
) -> None:
    statistics = Statistics()
    for name in ("a", "b"):
        statistics.job_done(done(name))
    statistics.job_failed("score_shots", 5.0)
    statistics.job_retried("score_shots", 5.0)
    await statistics.flush(valkey, AT)
    assert (statistics.done, statistics.failed) == (2, 1)


async def test_while_the_store_is_away_counts_are_kept(
    valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = Statistics()
    statistics.job_done(done("a"))
    with monkeypatch.context() as patched:
        patched.setattr("workers.statistics.add", _lost)
        await statistics.flush(valkey, AT)
    statistics.job_done(done("b"))
    await statistics.flush(valkey, AT)
    assert total(await spans(valkey, MINUTE_S, 1, AT), "done") == 2
    assert [job.id for job in await select_done(valkey)] == ["b", "a"]


async def _lost(*_: object) -> None:
    raise LostConnection("away")


async def test_minutes_have_no_gaps_and_are_kept_apart(valkey: Redis) -> None:
    statistics = Statistics()
    statistics.job_done(done("a"))
    await statistics.flush(valkey, datetime(2026, 5, 1, 9, 58, tzinfo=UTC))
    counts = [span.counts.get("done", 0) for span in await spans(valkey, MINUTE_S, 4, AT)]
    assert counts == [0, 1, 0, 0]


async def test_counts_are_not_kept_for_ever(valkey: Redis) -> None:
    statistics = Statistics()
    statistics.job_done(done("a"))
    await statistics.flush(valkey, AT)
    keys = [key async for key in valkey.scan_iter("quiver:did:*")]
    assert sorted([await valkey.ttl(key) for key in keys]) == [7_200, 90_000]


async def test_an_event_is_counted_with_its_way_from_arrival_to_viewers(
    deps: Deps, line: Range
) -> None:
    await line.say(line.field.release(1), line.field.landed(2))
    now = datetime.now(UTC)
    await deps.statistics.flush(deps.valkey, now)
    did = await spans(deps.valkey, MINUTE_S, 2, now)
    latency = duration_quantile(did, "latency", 1.0)
    assert total(did, "events") == 2
    assert latency is not None and 0 < latency < 60_000


async def test_events_that_come_again_are_counted_for_their_reader(
    deps: Deps, line: Range, field: Field
) -> None:
    release = line.field.release(1)
    for _ in range(3):
        await line.say(release)
    now = datetime.now(UTC)
    await deps.statistics.flush(deps.valkey, now)
    bow = field.readers["1A bow"]
    assert (await heard(deps.valkey, [bow], 2, now))[bow] == 3
    assert (await repeated(deps.valkey, 2, now))[bow] == 2


async def test_jobs_that_a_worker_does_are_counted(deps: Deps, working: None) -> None:
    del working
    await deps.queue.enqueue("relay", job_id="relay")

    async def is_counted() -> bool:
        await deps.statistics.flush(deps.valkey, datetime.now(UTC))
        did = await spans(deps.valkey, MINUTE_S, 2, datetime.now(UTC))
        return total(did, "done:relay") == 1

    await asyncio.wait_for(eventually(is_counted), 20)
    assert "relay" in [job.function for job in await select_done(deps.valkey)]
