"""Readers that are there before anything happens and stay, as in life: each says so by and by."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import batched

import orjson
from redis.asyncio import Redis

from bench.load.begin import Begin
from bench.load.job import Field, Job
from bench.load.line import Lines, open_lines
from bench.load.sender import BUSY
from bench.load.tally import Tally
from core.inbox import open_inbox
from core.settings import Settings

READERS_A_BEAT = 1_000
# As operators are told to have it. Whoever is silent is soon said to be offline, to every viewer.
BEAT_EVERY_S = 10.0
# A gateway speaks for its part of the readers, the next one a little later.
GATEWAYS = 8
TAKEN_IN_WITHIN_S, LOOK_EVERY_S = 60.0, 0.05


class Unheard(Exception):
    """The API did not take a sign of life."""


@asynccontextmanager
async def beating(job: Job, tally: Tally) -> AsyncIterator[None]:
    """With all readers of the job heard from, and those who shoot now again and again.

    Raises:
        Unheard: The API refuses it.
        TimeoutError: What it takes is not worked on.
    """
    fields = [part.field for part in (job.live, job.backlog) if part is not None]
    async with open_lines(job.url, job.token, 1) as lines:
        for some in batched([r for field in fields for r in _readers(field)], READERS_A_BEAT):
            await _beat(lines, some)
        await _all_taken_in(job.redis_url)
        task = None
        if job.live is not None and job.live.is_beating:
            task = asyncio.create_task(_keep_on(lines, list(_readers(job.live.field)), tally))
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def _all_taken_in(redis_url: str) -> None:
    """Wait until nothing is in the inbox: what the first heartbeats cost is no part of the load.

    Raises:
        TimeoutError: It stays there.
    """
    async with Redis.from_url(redis_url) as valkey, asyncio.timeout(TAKEN_IN_WITHIN_S):
        inbox = open_inbox(valkey, Settings())
        while await inbox.oldest_ms() is not None:
            await asyncio.sleep(LOOK_EVERY_S)


async def _keep_on(lines: Lines, readers: Sequence[str], tally: Tally) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for gateway in range(GATEWAYS):
            due += BEAT_EVERY_S / GATEWAYS
            await asyncio.sleep(due - loop.time())
            try:
                await _beat(lines, readers[gateway::GATEWAYS])
            except (Unheard, OSError) as error:
                tally.refused.append(f"heartbeat: {error!r}")


async def _beat(lines: Lines, readers: Sequence[str]) -> None:
    now = Begin.after(0.0)
    beats = [{"reader_id": reader, "buffered": 0} for reader in readers]
    body = {"sent_at": now.ts(now.elapsed()), "readers": beats}
    status, said = await lines.post("/api/v0/reader/heartbeat", orjson.dumps(body))
    # A gateway that is sent away comes again in its turn.
    if status >= 400 and status not in BUSY:
        raise Unheard(f"{status}: {said.decode(errors='replace')}")


def _readers(field: Field) -> Iterator[str]:
    for butt in field.butts:
        yield from (butt.target_reader, *butt.bow_readers)
