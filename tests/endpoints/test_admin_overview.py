"""How the work stands, at a glance, over HTTP."""

import json
from copy import replace
from datetime import UTC, datetime

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as LostConnection

from api.behind import Counted, in_words
from core.done_jobs import DoneJob
from core.gate import stream_key
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.pause import GOING_ON, pause
from core.postgres import Pool
from core.roster import WorkerReport, report
from core.schema.admin import PauseState
from core.schema.token import Role
from tests.endpoints.conftest import AsRole
from tests.resources import Json, data, failure
from workers.statistics import Statistics

URL = "/api/v0/admin/overview"
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
HISTORY = "/api/v0/admin/history"
WORKER = WorkerReport("a", "range", 7, "2026-05-01T10:00:00.000Z", "0.1.0", 0, 0, 0)


async def overview(client: AsyncClient) -> Json:
    """How the work stands."""
    told: Json = data(await client.get(URL))
    return told


async def counted(valkey: Redis, count: int) -> None:
    """Some jobs are done now, each in ten milliseconds."""
    statistics, now = Statistics(), datetime.now(UTC)
    for number in range(count):
        statistics.job_done(DoneJob(str(number), "relay", [], None, None, now, 10.0, 1))
    statistics.job_failed("score_shots", 3.0)
    await statistics.flush(valkey, now)


async def put_later(valkey: Redis, job_id: str, tries: int) -> None:
    """A job for later, begun so often."""
    await valkey.set(
        f"arq:job:{job_id}", json.dumps({"t": None, "f": "expire", "a": [], "k": {}, "et": 1})
    )
    await valkey.zadd("arq:queue", {job_id: datetime.now(UTC).timestamp() * 1000 + 3_600_000})
    if tries:
        await valkey.set(f"arq:retry:{job_id}", tries)


async def test_what_is_deferred_and_what_is_tried_again_are_counted_apart_as_they_are_listed(
    client: AsyncClient, valkey: Redis
) -> None:
    for number in range(5):
        await put_later(valkey, f"later {number}", tries=number % 3)
    told, queue = await overview(client), data(await client.get("/api/v0/admin/queue"))
    for state, count in (("deferred", 2), ("retrying", 3)):
        listed = data(await client.get("/api/v0/admin/job", params={"state": state}))["items"]
        assert (told[state], queue[state], len(listed)) == (count, count, count)


async def test_where_nothing_is_to_be_done_all_is_nought(
    client: AsyncClient, valkey: Redis
) -> None:
    await report(valkey, WORKER)
    told = await overview(client)
    names = ("inbox", "queued", "running", "deferred", "retrying", "failed", "oldest_age_ms")
    assert {told[name] for name in names} == {0}
    assert (told["workers"], told["paused_at"], told["latency_p50_ms"]) == (1, None, None)


async def test_the_stores_say_how_they_fare(client: AsyncClient) -> None:
    told = await overview(client)
    assert told["redis"]["is_up"] and told["redis"]["eviction_policy"] == "noeviction"
    assert told["redis"]["memory_bytes"] > 0
    assert told["postgres"]["is_up"] and told["postgres"]["size_bytes"] > 1_000_000
    assert 0 < told["postgres"]["connections"] <= told["postgres"]["connection_limit"]


async def test_a_store_that_may_forget_is_warned_of(client: AsyncClient, valkey: Redis) -> None:
    await valkey.config_set("maxmemory-policy", "allkeys-lru")
    try:
        told = await overview(client)
    finally:
        await valkey.config_set("maxmemory-policy", "noeviction")
    assert any("allkeys-lru" in each for each in told["redis"]["warnings"])
    assert any("allkeys-lru" in each for each in told["behind"])


async def test_what_is_done_is_told_as_rates_by_task(client: AsyncClient, valkey: Redis) -> None:
    await counted(valkey, 12)
    told = await overview(client)
    rates = {each["function"]: each for each in told["functions"]}
    assert rates["relay"]["done_per_min"] > 0
    assert rates["relay"]["p50_ms"] == pytest.approx(10, rel=0.1)
    assert rates["score_shots"]["failed_per_min"] > 0


async def test_no_worker_is_said_in_words(client: AsyncClient) -> None:
    assert (await overview(client))["behind"] == [
        "No worker is alive: events are taken, and no result comes."
    ]


async def test_a_pause_and_a_failure_are_said_in_words(
    client: AsyncClient, valkey: Redis, pool: Pool
) -> None:
    await report(valkey, WORKER)
    await pause(valkey, "Ana", "a face is put right", AT)
    failed = Failure("1", "score_shots", {}, [attempt(ValueError("no face"), AT, AT)])
    async with pool.acquire() as conn:
        await insert_failed_job(conn, failed)
    assert (await overview(client))["behind"] == [
        "Paused since 2026-05-01T10:00:00.000Z by Ana: a face is put right.",
        "1 job failed: an operator must see to it.",
    ]


async def test_when_the_queue_is_away_the_rest_is_shown(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object) -> None:
        raise LostConnection("away")

    monkeypatch.setattr("core.valkey_health.redis_health", lost)
    told = await overview(client)
    assert (told["redis"]["is_up"], told["postgres"]["is_up"]) == (False, True)
    assert told["behind"] == ["Valkey does not answer: readers are told to send again later"]
    unknown = ("inbox", "queued", "running", "deferred", "retrying", "workers", "oldest_age_ms")
    assert [told[name] for name in unknown] == [None] * len(unknown)
    assert (told["failed"], told["readers_silent"]) == (0, 0)


async def test_when_the_database_is_away_the_rest_is_shown(
    client: AsyncClient, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionRefusedError("away")

    await report(valkey, WORKER)
    monkeypatch.setattr("core.models.postgres_health.select_health", lost)
    told = await overview(client)
    assert (told["redis"]["is_up"], told["postgres"]["is_up"]) == (True, False)
    assert told["behind"] == [
        "PostgreSQL does not answer: events are still taken, and none becomes a shot"
    ]
    unknown = ("queued", "failed", "readers_online", "readers_silent")
    assert [told[name] for name in unknown] == [None] * len(unknown)
    assert (told["inbox"], told["workers"]) == (0, 1)


@pytest.mark.parametrize(("span", "step_s", "count"), [("hour", 60, 60), ("day", 600, 144)])
async def test_the_history_has_no_gaps(
    client: AsyncClient, valkey: Redis, span: str, step_s: int, count: int
) -> None:
    await counted(valkey, 5)
    told = data(await client.get(HISTORY, params={"span": span}))
    assert (told["step_s"], len(told["buckets"])) == (step_s, count)
    assert sum(each["done"] for each in told["buckets"]) == 5
    times = [datetime.fromisoformat(each["at"]).timestamp() for each in told["buckets"]]
    assert {later - earlier for earlier, later in zip(times, times[1:])} == {step_s}


async def test_a_span_that_is_not_kept_is_refused(client: AsyncClient) -> None:
    code, (said,) = failure(await client.get(HISTORY, params={"span": "year"}))
    assert (code, said.partition(":")[0]) == (422, "query.span")


@pytest.mark.parametrize("role", [Role.READER, Role.GATEWAY])
@pytest.mark.parametrize("url", [URL, HISTORY])
async def test_readers_and_gateways_do_not_see_it(as_role: AsRole, role: Role, url: str) -> None:
    assert failure(await (await as_role(role)).get(url))[0] == 403


COUNTED_THEN = Counted(
    fullest=800,
    limit=1_000,
    oldest_age_ms=61_000,
    stuck=[3],
    failed=2,
    failed_lately=1,
    retrying=1,
    silent=1,
    workers=0,
    pause=GOING_ON,
    latency_p99_ms=2_500,
    warnings=["appendonly is no"],
    is_redis_up=True,
)


def test_everything_that_falls_behind_is_a_sentence_the_worst_first() -> None:
    assert in_words(COUNTED_THEN) == [
        "No worker is alive: events are taken, and no result comes.",
        "appendonly is no",
        "The oldest work has waited for 61 s.",
        "A partition of the inbox is 80 % full: full, it refuses events until workers catch up.",
        "One event in a hundred takes 2.5 s or more until viewers see it.",
        "2 jobs failed: an operator must see to it.",
        "1 job failed in the last five minutes.",
        "1 job failed and will be tried again.",
        "1 reader of open sessions is silent.",
    ]


def test_more_failed_jobs_than_are_counted_are_said_to_be_more() -> None:
    assert "More than 10000 jobs failed: an operator must see to it." in in_words(
        replace(COUNTED_THEN, failed=10_001)
    )


def test_partitions_are_stuck_only_while_work_is_begun() -> None:
    working = replace(COUNTED_THEN, workers=1, stuck=[3, 7])
    held = replace(working, pause=PauseState(paused_at=AT, paused_by="Ana", reason=None))
    said = [sum("stuck" in each for each in in_words(of)) for of in (working, held, COUNTED_THEN)]
    assert said == [1, 0, 0]


async def test_a_partition_whose_oldest_event_waits_for_long_is_named(
    client: AsyncClient, valkey: Redis
) -> None:
    await report(valkey, WORKER)
    came_ms = round(datetime.now(UTC).timestamp() * 1000) - 90_000
    await valkey.xadd(stream_key(3), {"e": b"{}"}, id=f"{came_ms}-0")
    told = await overview(client)
    assert (
        "Partition 3 is stuck: the oldest event there has waited for over 60 s." in told["behind"]
    )
    assert told["oldest_age_ms"] >= 90_000


async def test_what_failed_lately_is_told(client: AsyncClient, valkey: Redis) -> None:
    await report(valkey, WORKER)
    await counted(valkey, 1)
    assert "1 job failed in the last five minutes." in (await overview(client))["behind"]
