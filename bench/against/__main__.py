"""`python -m bench.against floor|stock JOB TALLY`: the same load, without HTTP in between."""

import asyncio
import os
import random
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from bench.against.floor import floor
from bench.against.rows import Said
from bench.against.stock import ready_pool
from bench.load.begin import Begin
from bench.load.job import JOB, Job
from bench.load.plan import late_events, live_events
from bench.load.sampling import sample
from bench.load.seen import Seen
from bench.load.shooting import Event
from bench.load.tally import TALLY, Tally
from bench.load.watch import listening

type Hand = Callable[[Said], Awaitable[object]]

READY_S, LOOK_BEFORE_S = 1.0, 0.2
# What is under way at once of a backlog.
ENQUEUERS = 32


async def run(job: Job, kind: str) -> Tally:
    """Hand all events to one of the two, live ones when they happen."""
    rng, tally = random.Random(), Tally()
    events, landings = ([], {}) if job.live is None else live_events(job.live, rng)
    late = [] if job.backlog is None else late_events(job.backlog, rng)
    late_landings = {e.event_id.encode() for e in late if e.type == "arrow_landed"}
    async with AsyncExitStack() as stack:
        hand = await _hand(stack, kind, job, tally)
        begin = Begin.after(READY_S)
        seen = Seen(begin, tally, landings, late_landings)
        await stack.enter_async_context(listening(job.redis_url, seen.frame))
        await begin.reached(-LOOK_BEFORE_S)
        await sample(job.servers, begin, tally)
        await begin.reached(0.0)
        await _live(events, begin, hand, tally)
        await seen.none_left(seen.live, begin.elapsed() + job.patience_s)
        await _late(late, hand, seen, job.patience_s)
        await sample(job.servers, begin, tally)
    seen.note_unseen()
    return tally


async def _hand(stack: AsyncExitStack, kind: str, job: Job, tally: Tally) -> Hand:
    if kind == "floor":
        waiting: asyncio.Queue[Said] = asyncio.Queue()
        task = asyncio.create_task(floor(waiting, tally))
        stack.callback(task.cancel)

        async def give(said: Said) -> None:
            if task.done():
                # It never ends by itself: what ended it is said here.
                await task
            waiting.put_nowait(said)

        return give
    workers = sum(name.startswith("arq-") for name in job.servers)
    pool = await ready_pool(os.environ["REDIS_URL"], workers)
    stack.push_async_callback(pool.aclose)

    async def enqueue(said: Said) -> None:
        event = (said.event_id, said.reader_id, said.type, said.at, said.x, said.y)
        await pool.enqueue_job("handle_event", event)

    return enqueue


async def _live(events: Sequence[Event], begin: Begin, hand: Hand, tally: Tally) -> None:
    async with asyncio.TaskGroup() as under_way:
        for event in events:
            await begin.reached(event.at)
            tally.lag_ms.append(1000 * (begin.elapsed() - event.at))
            under_way.create_task(_given(hand, _said(event, begin)))
    tally.sent += len(events)


async def _late(events: Sequence[Event], hand: Hand, seen: Seen, patience_s: float) -> None:
    """As fast as it is taken; the deadline counts from the begin, or nobody keeps it."""
    begin, tally = seen.begin, seen.tally
    waiting = iter([_said(event, begin) for event in events])
    begun = begin.elapsed()

    async def some() -> None:
        for said in waiting:
            await hand(said)

    await asyncio.gather(*(some() for _ in range(ENQUEUERS)))
    tally.sent += len(events)
    tally.backlog_sent, tally.backlog_sent_s = len(events), begin.elapsed() - begun
    await seen.none_left(seen.late, begun + patience_s)
    tally.backlog_seen_s = seen.last_late_at - begun


async def _given(hand: Hand, said: Said) -> None:
    await hand(said)


def _said(event: Event, begin: Begin) -> Said:
    at = begin.wall + event.at
    return Said(event.event_id, event.reader_id, event.type, at, event.x, event.y)


if __name__ == "__main__":
    wish = JOB.validate_json(Path(sys.argv[2]).read_bytes())
    Path(sys.argv[3]).write_bytes(TALLY.dump_json(uvloop.run(run(wish, sys.argv[1]))))
