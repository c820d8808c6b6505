"""Looks at the processes while a load lasts."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bench.load.begin import Begin
from bench.load.job import Job
from bench.load.tally import Sample, Tally
from bench.usage import usage_of


async def sample(servers: Mapping[str, int], begin: Begin, tally: Tally) -> None:
    """Look at the servers and at ourselves, in a thread: nothing that is due waits for it."""
    at = begin.elapsed()
    usage = await asyncio.to_thread(usage_of, {**servers, "load": os.getpid()})
    tally.samples.append(Sample(at, usage))


@asynccontextmanager
async def sampling(job: Job, begin: Begin, tally: Tally) -> AsyncIterator[None]:
    """Look as often as the job says, meanwhile."""

    async def look(every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await sample(job.servers, begin, tally)

    task = None if job.sample_s is None else asyncio.create_task(look(job.sample_s))
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
