"""A job done: everything is made ready, then the clock starts."""

import asyncio
import gc
import random
from contextlib import AsyncExitStack

from bench.load.beat import beating
from bench.load.begin import Begin
from bench.load.crowd import Audience
from bench.load.job import Job
from bench.load.late import send_late
from bench.load.line import open_lines
from bench.load.live import send_live
from bench.load.plan import BacklogPlan, LivePlan, plan_backlog, plan_live
from bench.load.sampling import sample, sampling
from bench.load.seen import Seen
from bench.load.sender import CONNECTIONS, Sender
from bench.load.tally import Tally
from bench.load.watch import listening, watching

# Making a body ready takes some microseconds; the rest is for connecting.
READY_S, READY_S_AN_EVENT = 1.0, 0.00004
LOOK_BEFORE_S, LATE_S = 0.2, 0.25


async def run_job(job: Job) -> Tally:
    """Send what the job says and wait for what must come of it."""
    tally = Tally()
    async with beating(job, tally):
        await _run(job, tally)
    return tally


async def _run(job: Job, tally: Tally) -> None:
    audience = None if job.crowd is None else Audience(job.crowd, tally)
    if audience is not None and job.live is not None:
        await audience.join(job.url, job.live.field.session_id, job.servers)
    begin = Begin.after(READY_S + READY_S_AN_EVENT * _size(job))
    rng = random.Random()
    live = LivePlan([], {}) if job.live is None else plan_live(job.live, begin, rng)
    late = BacklogPlan([], set()) if job.backlog is None else plan_backlog(job.backlog, begin, rng)
    if audience is not None:
        audience.begin, audience.due = begin, dict(live.landings)
    # What is ready stays: looking through it again and again is no part of any figure.
    gc.collect()
    gc.freeze()
    seen = Seen(begin, tally, live.landings, late.landings)
    await _send(job, live, late, seen)
    if audience is not None:
        await audience.note()


async def _send(job: Job, live: LivePlan, late: BacklogPlan, seen: Seen) -> None:
    begin, tally = seen.begin, seen.tally
    async with AsyncExitStack() as stack:
        lines = await stack.enter_async_context(open_lines(job.url, job.token, CONNECTIONS))
        sender = Sender(lines, begin, tally)
        await _watch(stack, job, seen)
        # Just before the clock starts: looking at all processes takes some milliseconds.
        await begin.reached(-LOOK_BEFORE_S)
        await sample(job.servers, begin, tally)
        await begin.reached(0.0)
        if begin.elapsed() > LATE_S:
            tally.refused.append("the load was not ready in time")
        over = asyncio.Event()
        async with sampling(job, begin, tally), asyncio.TaskGroup() as work:
            work.create_task(send_live(live.requests, sender, seen, over))
            if job.backlog is not None:
                gateways = open_lines(job.url, job.token, job.backlog.connections)
                late_sender = Sender(await stack.enter_async_context(gateways), begin, tally)
                await begin.reached(job.backlog.after_s)
                await send_late(job.backlog, late, late_sender, seen, job.patience_s)
                if job.live is not None and job.live.ends_with_backlog:
                    over.set()
        await seen.none_left(seen.live, begin.elapsed() + job.patience_s)
        await sample(job.servers, begin, tally)
    seen.note_unseen()


def _size(job: Job) -> float:
    live = () if job.live is None else job.live.phases
    late = 0 if job.backlog is None else job.backlog.events
    return late + sum(phase.events_per_s * phase.seconds for phase in live)


async def _watch(stack: AsyncExitStack, job: Job, seen: Seen) -> None:
    if job.live is not None:
        live = watching(job.url, job.live.field.session_id, seen.frame)
        await stack.enter_async_context(live)
    if job.backlog is not None and job.backlog.seconds is None:
        await stack.enter_async_context(listening(job.redis_url, seen.frame))
