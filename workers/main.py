"""The worker process: its clients, tasks and schedules, put together here and nowhere else."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from arq.cron import CronJob, cron
from arq.worker import Function

from core.breath import breathing
from core.feed import Feed
from core.inbox import open_inbox
from core.log import get_logger
from core.postgres import open_pool
from core.queue import QUEUE, Queue, deserialize, open_arq, serialize
from core.roster import Wish, sign_off
from core.settings import Settings
from core.valkey import LOST, open_valkey
from workers.containment import GRACE_S
from workers.correlate import correlate, expire, overdue
from workers.deps import Deps
from workers.holding import connection_name
from workers.job import RETRY
from workers.leaderboard import leaderboard
from workers.relay import relay
from workers.reporting import Reporter
from workers.retry import retrying
from workers.runtime import ARQ_TRIES, Task, task
from workers.score_shots import score_shots
from workers.sweep import sweep
from workers.watchdog import watched
from workers.worker import LastingWorker

SWEEP_EVERY_S = 1
# Longer than a worker may be late for a schedule and still think that it is due.
KEEP_RUN_S = 10

# By the names that jobs call them.
TASKS: Mapping[str, Task] = {
    "correlate": correlate,
    "overdue": overdue,
    "expire": expire,
    "score_shots": score_shots,
    "relay": relay,
    "leaderboard": leaderboard,
    "sweep": sweep,
}

log = get_logger(__name__)


# Whoever must be answered now goes first (a process's niceness); what is left comes in fewer and
# larger batches then.
BEHIND = 5


def tasks(settings: Settings) -> Sequence[Function]:
    """Every task that a worker can do."""
    timeout_s = settings.quiver_job_timeout_s
    known = [task(done, name=name, timeout_s=timeout_s) for name, done in TASKS.items()]
    # What it tries again has the usual time; its own end takes a little more.
    again = task(retrying(TASKS), name=RETRY, timeout_s=timeout_s + 2 * GRACE_S)
    return [*known, again]


def schedules(functions: Sequence[Function]) -> Sequence[CronJob]:
    """What is done regularly; a schedule's run has one id for all workers, so only one does it."""
    by_name = {function.name: function for function in functions}
    seconds = set(range(0, 60, SWEEP_EVERY_S))
    timeout_s = by_name["sweep"].timeout_s
    return [
        cron(
            by_name["sweep"].coroutine,
            name="cron:sweep",
            second=seconds,
            timeout=timeout_s,
            # A worker that comes late to a second finds that it was seen to: enqueued again, the
            # job would stand in the queue for a minute, marked as under way.
            keep_result=KEEP_RUN_S,
            # Also when the worker that had it was killed.
            max_tries=ARQ_TRIES,
        )
    ]


async def open_deps(settings: Settings) -> Deps:
    """The clients that tasks use."""
    valkey, worker_id = open_valkey(settings), str(uuid4())
    pool = await open_pool(
        settings,
        plans_once=True,
        statement_s=settings.quiver_job_timeout_s,
        name=connection_name(worker_id),
    )
    return Deps(
        settings=settings,
        pool=pool,
        worker_id=worker_id,
        valkey=valkey,
        inbox=open_inbox(valkey, settings),
        queue=Queue(open_arq(settings)),
        feed=Feed(valkey, length=settings.quiver_feed_length),
    )


async def close_deps(deps: Deps) -> None:
    """Give everything back."""
    await deps.queue.close()
    await deps.valkey.aclose()
    await deps.pool.close()


def build_worker(deps: Deps, *, handle_signals: bool = True) -> LastingWorker:
    """A worker for all tasks, not started yet."""
    settings = deps.settings
    functions = tasks(settings)
    return LastingWorker(
        functions=functions,
        cron_jobs=schedules(functions),
        queue_name=QUEUE,
        redis_pool=open_arq(settings),
        ctx={"deps": deps},
        max_jobs=settings.quiver_worker_jobs,
        job_timeout=settings.quiver_job_timeout_s + 10,
        keep_result=0,
        poll_delay=0.5,
        queue_read_limit=1_000,
        health_check_interval=3_600,
        health_check_key=f"quiver:arq-health:{uuid4()}",
        job_serializer=serialize,
        job_deserializer=deserialize,
        handle_signals=handle_signals,
        log_results=False,
        timezone=UTC,
    )


async def work(settings: Settings, stop: asyncio.Event) -> Wish | None:
    """Work until told to stop or asked to go, then finish what is under way.

    Returns:
        What an operator asked for; None: it was told to stop.
    """
    deps = await open_deps(settings)
    with breathing(settings, deps.worker_id):
        return await _work(deps, stop)


async def _work(deps: Deps, stop: asyncio.Event) -> Wish | None:
    timeout_s = deps.settings.quiver_job_timeout_s
    worker = build_worker(deps, handle_signals=False)
    reporter = Reporter(deps, worker)
    reporting = asyncio.create_task(reporter.run())
    working = asyncio.create_task(worker.async_run())
    stopping = asyncio.create_task(stop.wait())
    wished = asyncio.create_task(reporter.wished.wait())
    log.info("worker started", worker=deps.worker_id)
    try:
        async with watched(timeout_s):
            await asyncio.wait({working, stopping, wished}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            if wished.done() and not stopping.done():
                draining = asyncio.create_task(worker.drain(timeout_s))
                await asyncio.wait({draining, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reporting.cancel()
        await worker.finish()
        await deps.statistics.flush(deps.valkey, datetime.now(UTC))
        with suppress(*LOST):
            await sign_off(deps.valkey, deps.worker_id)
        await close_deps(deps)
        log.info("worker stopped", worker=deps.worker_id, wish=reporter.wish)
    return reporter.wish


async def until_signalled(settings: Settings) -> Wish | None:
    """Work in this process until SIGINT or SIGTERM, or until an operator asks it to go."""
    os.nice(BEHIND)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    return await work(settings, stop)
