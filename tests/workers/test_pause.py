"""The operators' pause: nothing is begun, everything is accepted, and nothing is wrong after it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from arq.worker import Function
from redis.asyncio import Redis

from core.domain.values import Status
from core.gate import Watermarks, stream_key
from core.inbox import Inbox
from core.models.instants import instant
from core.pause import pause, pause_state, resume
from core.queue import QUEUE
from core.schema.admin import PauseState
from core.schema.inbox import AcceptedBeat, AcceptedEvent, encode
from core.settings import Settings
from tests.fields import Field, as_if_received_then, now
from tests.workers.conftest import Range, eventually
from workers import main
from workers import worker as lasting
from workers.deps import Deps
from workers.drain import drain
from workers.main import build_worker
from workers.runtime import task
from workers.sweep import sweep
from workers.worker import LastingWorker

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)

usual_tasks = main.tasks


@pytest.fixture(name="worker")
async def _worker(deps: Deps) -> AsyncIterator[LastingWorker]:
    """A worker that works."""
    made = build_worker(deps, handle_signals=False)
    working = asyncio.create_task(made.async_run())
    yield made
    await made.finish()
    await asyncio.gather(working, return_exceptions=True)


@pytest.fixture(name="looked", autouse=True)
def _looked(monkeypatch: pytest.MonkeyPatch) -> list[PauseState]:
    """What workers saw when they looked whether there is a pause."""
    seen: list[PauseState] = []

    async def look(valkey: Redis) -> PauseState:
        seen.append(await pause_state(valkey))
        return seen[-1]

    monkeypatch.setattr(lasting, "pause_state", look)
    return seen


async def looks(looked: list[PauseState], count: int = 2) -> None:
    """Wait until a worker has looked so often whether there is a pause."""
    enough = len(looked) + count

    async def has_looked() -> bool:
        return len(looked) >= enough

    await eventually(has_looked)


async def test_who_paused_first_is_who_paused(deps: Deps) -> None:
    first = await pause(deps.valkey, "Ana", "wind", AT)
    again = await pause(deps.valkey, "Ben", None, AT + timedelta(hours=1))
    stands = await pause_state(deps.valkey)
    assert (first, again) == ((stands, True), (stands, False))
    assert (stands.paused_at, stands.paused_by, stands.reason) == (AT, "Ana", "wind")


async def test_resuming_twice_is_as_resuming_once(deps: Deps) -> None:
    await pause(deps.valkey, "Ana", None, AT)
    assert (await resume(deps.valkey), await resume(deps.valkey)) == (True, False)
    assert (await pause_state(deps.valkey)).paused_at is None


async def test_no_job_is_begun_while_there_is_a_pause(
    line: Range, worker: LastingWorker, looked: list[PauseState]
) -> None:
    deps = line.deps
    await pause(deps.valkey, "Ana", None, AT)
    await looks(looked)
    begun = worker.jobs_complete
    await deps.queue.wake(await line.put(line.field.release(10)))
    await looks(looked, 6)
    assert worker.jobs_complete == begun and await line.shots() == []
    await resume(deps.valkey)
    resumed_at = time.monotonic()

    async def shot() -> bool:
        return len(await line.shots()) == 1

    await eventually(shot)
    assert time.monotonic() - resumed_at < 2


async def test_a_worker_that_starts_in_a_pause_begins_nothing(
    line: Range, looked: list[PauseState]
) -> None:
    deps = line.deps
    await pause(deps.valkey, "Ana", None, AT)
    await deps.queue.wake(await line.put(line.field.release(10)))
    worker = build_worker(deps, handle_signals=False)
    working = asyncio.create_task(worker.async_run())
    await looks(looked, 4)
    assert await line.shots() == []
    await worker.finish()
    await asyncio.gather(working, return_exceptions=True)


async def test_schedules_do_not_pile_up_in_a_pause(
    deps: Deps, worker: LastingWorker, looked: list[PauseState]
) -> None:
    await pause(deps.valkey, "Ana", None, AT)
    await looks(looked)
    before = await deps.valkey.zcard(QUEUE)
    await looks(looked, 10)
    assert await deps.valkey.zcard(QUEUE) == before <= 2
    done = worker.jobs_complete
    await resume(deps.valkey)

    async def sweeps() -> bool:
        return worker.jobs_complete > done + 1

    await eventually(sweeps)


async def test_a_job_under_way_ends_in_the_pause(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, looked: list[PauseState]
) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def long(_: Deps) -> None:
        """Take long."""
        begun.set()
        await may_end.wait()
        ended.set()

    def with_long(settings: Settings) -> Sequence[Function]:
        return [*usual_tasks(settings), task(long, name="long", timeout_s=20)]

    monkeypatch.setattr(main, "tasks", with_long)
    worker = build_worker(deps, handle_signals=False)
    working = asyncio.create_task(worker.async_run())
    await deps.queue.enqueue("long", job_id="long")
    await asyncio.wait_for(begun.wait(), 15)
    await pause(deps.valkey, "Ana", None, AT)
    await looks(looked)
    may_end.set()
    await asyncio.wait_for(ended.wait(), 15)

    async def has_left() -> bool:
        return await deps.valkey.zscore(QUEUE, "long") is None

    await eventually(has_left)
    await worker.finish()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_landing_of_the_pause_is_scored_and_never_was_a_miss(
    line: Range, worker: LastingWorker, looked: list[PauseState]
) -> None:
    del worker
    deps, field = line.deps, line.field
    since = (now() - field.starts_at) / 1_000_000
    await deps.queue.wake(await line.put(field.beat(), field.release(since)))

    async def is_in_flight() -> bool:
        return [known.shot.status for known in await line.shots()] == [Status.IN_FLIGHT]

    await eventually(is_in_flight)
    await pause(deps.valkey, "Ana", None, datetime.now(UTC))
    await looks(looked)
    await deps.queue.wake(await line.put(field.landed(since + 0.4, x=3)))
    (known,) = await line.shots()

    async def time_is_up() -> bool:
        return now() > known.shot.deadline + 500_000

    await eventually(time_is_up)
    assert (await line.shots())[0].shot.status is Status.IN_FLIGHT
    await resume(deps.valkey)

    async def is_scored() -> bool:
        return [known.shot.label for known in await line.shots()] == ["X"]

    await eventually(is_scored)
    (known,) = await line.shots()
    assert (known.shot.status, known.version) == (Status.LANDED, 2)


async def accepted_then(deps: Deps, partition: int, *said: AcceptedEvent | AcceptedBeat) -> None:
    """Put into the inbox what the API took when it says it was received."""
    for number, each in enumerate(said):
        entry_id = f"{each.received_at // 1_000}-{number}"
        await deps.valkey.xadd(stream_key(partition), {"e": encode(each)}, id=entry_id)


async def test_a_landing_far_behind_in_the_inbox_is_waited_for(deps: Deps, field: Field) -> None:
    """A pause leaves more than one batch; what its end holds is not missed at its begin."""
    settings = deps.settings.model_copy(update={"quiver_batch_size": 2})
    inbox = Inbox(deps.valkey, partitions=1, marks=Watermarks(1_000))
    line = Range(replace(deps, settings=settings, inbox=inbox), field)
    since = (now() - field.starts_at) / 1_000_000 - 20
    beat = replace(field.beat(), received_at=now() - 21_000_000)
    release, landing = field.release(since), field.landed(since + 0.4)
    said = (beat, as_if_received_then(release), as_if_received_then(landing))
    await accepted_then(deps, 0, *said)
    await drain(line.deps, 0, with_overdue=True)
    told = [json.loads(frame.text)["type"] for frame in await line.frames()]
    assert [kind for kind in told if kind.startswith("shot.")] == ["shot.created", "shot.landed"]


async def test_readers_whose_heartbeats_wait_in_the_inbox_are_not_silent(
    deps: Deps, field: Field
) -> None:
    line = Range(deps, field)
    await line.say(field.beat())
    long_ago = now() - 60_000_000
    async with deps.pool.acquire() as conn:
        await conn.execute("UPDATE reader_status SET last_heard_at = $1", instant(long_ago))
    beats = [replace(field.beat(), received_at=long_ago + 20_000_000 * i) for i in range(1, 4)]
    # A stream takes nothing that is older than what it held before.
    elsewhere = (deps.inbox.partition_of(field.targets[1]) + 1) % deps.inbox.partitions
    await accepted_then(deps, elsewhere, *beats)
    await sweep(deps)
    await drain(deps, elsewhere)
    await sweep(deps)
    assert not any("reader.offline" in frame.text for frame in await line.frames())
