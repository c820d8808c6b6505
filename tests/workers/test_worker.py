"""The worker's loop: it finds jobs, keeps its claims, and takes over those of the dead."""

import asyncio

from arq.constants import in_progress_key_prefix, job_key_prefix, result_key_prefix

from core.models.work import try_partition, unlock_partitions
from core.queue import QUEUE, open_arq
from tests.workers.conftest import Range, eventually
from workers.deps import Deps
from workers.main import build_worker


async def test_a_running_jobs_claim_is_short_and_renewed(deps: Deps, working: None) -> None:
    del working
    mark = f"{in_progress_key_prefix}the job"
    async with deps.pool.acquire() as conn:
        assert await try_partition(conn, 3)
        await deps.queue.enqueue("correlate", 3, job_id="the job")
        left: list[int] = []

        async def renewed() -> bool:
            left.append(await deps.valkey.pttl(mark))
            return len(left) > 1 and left[-1] > left[-2] > 0

        await eventually(renewed)
        assert max(left) <= 6_000
        await unlock_partitions(conn, [3])

    async def done() -> bool:
        return not await deps.valkey.exists(mark)

    await eventually(done)


async def test_a_dead_workers_job_is_taken_over_once_its_claim_ran_out(
    line: Range, working: None
) -> None:
    del working
    deps = line.deps
    await deps.valkey.set(f"{in_progress_key_prefix}orphan", 1, px=300)
    await deps.queue.enqueue("correlate", 3, job_id="orphan")

    async def is_gone() -> bool:
        counts = await deps.queue.counts()
        return counts.due == 0 and not await deps.valkey.exists(f"{job_key_prefix}orphan")

    await eventually(is_gone)


async def test_a_try_that_is_put_off_does_not_bring_back_a_job_that_somebody_did(
    deps: Deps,
) -> None:
    worker = build_worker(deps, handle_signals=False)
    await deps.queue.enqueue("correlate", 3, job_id="waits")
    due = await deps.valkey.zscore(QUEUE, "waits")
    for job_id in ("waits", "done elsewhere"):
        await worker.finish_job(job_id, False, None, None, False, 500, None)
    assert await deps.valkey.zrange(QUEUE, 0, -1, withscores=True) == [(b"waits", due + 500)]
    await worker.finish()


async def test_a_lost_connection_does_not_end_the_worker(line: Range, working: None) -> None:
    del working
    for _ in range(3):
        await line.deps.valkey.client_kill_filter(_type="normal", skipme=True)
        await asyncio.sleep(0)
    await line.deps.queue.wake(await line.put(line.field.release(10)))

    async def shot() -> bool:
        return len(await line.shots()) == 1

    await eventually(shot)


async def test_a_schedule_that_was_seen_to_is_not_enqueued_again_by_one_who_is_late(
    deps: Deps, working: None
) -> None:
    del working
    done: list[str] = []

    async def is_done() -> bool:
        found = await deps.valkey.keys(f"{result_key_prefix}cron:sweep:*")
        done.extend(key.decode().removeprefix(result_key_prefix) for key in found)
        return bool(done)

    await eventually(is_done)
    late = open_arq(deps.settings)
    assert await late.enqueue_job("cron:sweep", _job_id=done[0]) is None
    await late.aclose()
