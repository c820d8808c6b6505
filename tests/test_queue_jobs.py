"""The jobs in the queue, as operators see them and act on them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix

from core.queue import ATTEMPTS_PREFIX, BELL, QUEUE, Queue, open_arq
from core.queue_jobs import attempts_so_far, cancel_deferred, get_queued, list_queued, run_now
from core.schema.admin import JobState
from core.settings import Settings

IN_QUEUE = (JobState.QUEUED, JobState.RUNNING, JobState.DEFERRED, JobState.RETRYING)


@pytest.fixture(name="arq")
async def _arq(settings: Settings) -> AsyncIterator[ArqRedis]:
    client = open_arq(settings)
    yield client
    await client.aclose()


async def put_one_of_each(arq: ArqRedis) -> None:
    """A job of each state; its id is the state's name."""
    queue, later = Queue(arq), datetime.now(UTC) + timedelta(hours=1)
    await queue.enqueue("correlate", 3, job_id="queued")
    await queue.enqueue("correlate", 4, job_id="running")
    await arq.set(in_progress_key_prefix + "running", 1)
    await queue.enqueue("expire", 3, 7, job_id="deferred", defer_until=later)
    await queue.enqueue("leaderboard", str(uuid4()), job_id="retrying", defer_until=later)
    await arq.set(retry_key_prefix + "retrying", 2)


@pytest.mark.parametrize("state", IN_QUEUE)
async def test_jobs_are_listed_by_their_state(arq: ArqRedis, state: JobState) -> None:
    await put_one_of_each(arq)
    assert [(job.id, job.state) for job in await list_queued(arq, state, 10)] == [(state, state)]


async def test_a_state_that_no_job_in_the_queue_has_is_refused(arq: ArqRedis) -> None:
    with pytest.raises(ValueError, match="no job in the queue is failed"):
        await list_queued(arq, JobState.FAILED, 10)


async def test_a_job_says_what_it_is(arq: ArqRedis) -> None:
    request_id, due_at = uuid4(), datetime.now(UTC) + timedelta(hours=1)
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    await Queue(arq).enqueue(
        "expire", 3, 7, job_id="one", defer_until=due_at, request_id=request_id
    )
    await arq.set(retry_key_prefix + "one", 2)
    job = await get_queued(arq, "one")
    assert job is not None and job.enqueued_at is not None
    assert (job.function, job.arguments, job.request_id, job.tries) == (
        "expire",
        {"arguments": [3, 7]},
        UUID(str(request_id)),
        2,
    )
    assert before <= job.enqueued_at <= datetime.now(UTC)
    assert abs(job.due_at - due_at) < timedelta(milliseconds=1)


async def test_what_is_listed_is_what_is_got(arq: ArqRedis) -> None:
    await put_one_of_each(arq)
    for state in IN_QUEUE:
        assert await list_queued(arq, state, 10) == [await get_queued(arq, state)]


async def test_pages_hold_every_job_once_the_earliest_first(arq: ArqRedis) -> None:
    begin = datetime.now(UTC) + timedelta(hours=1)
    for number in range(7):
        at = begin + timedelta(seconds=number)
        await Queue(arq).enqueue("expire", 3, number, job_id=f"job {number}", defer_until=at)
    pages = [await list_queued(arq, JobState.DEFERRED, 3, offset) for offset in (0, 3, 6)]
    assert [[job.id for job in page] for page in pages] == [
        ["job 0", "job 1", "job 2"],
        ["job 3", "job 4", "job 5"],
        ["job 6"],
    ]


async def test_a_job_that_is_not_there_is_not_found(arq: ArqRedis) -> None:
    assert await get_queued(arq, "nobody") is None


@pytest.mark.parametrize("stored", [b"\xff\x00", b"[1]", b'{"f": "x"}', b'{"k": 3}'])
async def test_a_job_that_cannot_be_read_is_listed_all_the_same(
    arq: ArqRedis, stored: bytes
) -> None:
    await Queue(arq).enqueue("correlate", 3, job_id="strange")
    await arq.set(job_key_prefix + "strange", stored)
    (job,) = await list_queued(arq, JobState.QUEUED, 10)
    payload = stored.decode(errors="backslashreplace")
    assert (job.function, job.arguments) == ("", {"payload": payload})


@pytest.mark.parametrize(
    ("score", "state"),
    [
        (float("-inf"), JobState.QUEUED),
        (9e17, JobState.DEFERRED),
        (float("inf"), JobState.DEFERRED),
    ],
)
async def test_a_job_that_is_due_at_no_date_is_listed_and_found(
    arq: ArqRedis, score: float, state: JobState
) -> None:
    await Queue(arq).enqueue("correlate", 3, job_id="odd")
    await arq.zadd(QUEUE, {"odd": score})
    assert await list_queued(arq, state, 10) == [await get_queued(arq, "odd")]


async def test_what_stands_there_of_another_kind_is_listed_and_found(arq: ArqRedis) -> None:
    await Queue(arq).enqueue("correlate", 3, job_id="odd")
    async with arq.pipeline() as pipe:
        for prefix in (job_key_prefix, retry_key_prefix, ATTEMPTS_PREFIX):
            pipe.delete(f"{prefix}odd")
            pipe.hset(f"{prefix}odd", "a", "1")
        await pipe.execute()
    (job,) = await list_queued(arq, JobState.QUEUED, 10)
    assert (job.function, job.tries, job) == ("", 0, await get_queued(arq, "odd"))
    assert await attempts_so_far(arq, "odd") == []


async def test_a_job_for_later_is_called_off_once(arq: ArqRedis) -> None:
    await put_one_of_each(arq)
    assert [await cancel_deferred(arq, "deferred") for _ in range(2)] == [True, False]
    assert await get_queued(arq, "deferred") is None
    assert not await arq.exists(job_key_prefix + "deferred")


async def test_a_retry_that_was_called_off_leaves_no_try_behind(arq: ArqRedis) -> None:
    await put_one_of_each(arq)
    assert await cancel_deferred(arq, "retrying")
    assert not await arq.exists(retry_key_prefix + "retrying")


async def test_a_job_for_later_is_run_now_once(arq: ArqRedis) -> None:
    await put_one_of_each(arq)
    await arq.delete(BELL)
    assert [await run_now(arq, "deferred") for _ in range(2)] == [True, False]
    job = await get_queued(arq, "deferred")
    assert job is not None and job.state is JobState.QUEUED
    async with arq.pipeline() as pipe:
        pipe.llen(BELL)
        assert await pipe.execute() == [1]


@pytest.mark.parametrize("job_id", ["queued", "running", "nobody"])
async def test_what_is_due_or_under_way_or_gone_is_left_alone(arq: ArqRedis, job_id: str) -> None:
    await put_one_of_each(arq)
    before = await arq.zrange(QUEUE, 0, -1, withscores=True)
    assert not await cancel_deferred(arq, job_id)
    assert not await run_now(arq, job_id)
    assert await arq.zrange(QUEUE, 0, -1, withscores=True) == before


async def test_a_deferred_job_that_somebody_just_began_is_left_alone(arq: ArqRedis) -> None:
    await put_one_of_each(arq)
    await arq.set(in_progress_key_prefix + "deferred", 1)
    assert not await cancel_deferred(arq, "deferred")
    assert not await run_now(arq, "deferred")
