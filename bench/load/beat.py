"""Readers that are there before anything happens, as they are in life: their clocks are known."""

from itertools import batched

from bench.load.begin import Begin
from bench.load.job import Field, Job
from bench.load.sender import open_client

READERS_A_BEAT = 1_000


class Unheard(Exception):
    """The API did not take a sign of life."""


async def beat(job: Job) -> None:
    """Have all readers of the job say that they live.

    Raises:
        Unheard: The API refuses it.
    """
    now = Begin.after(0.0)
    fields = [part.field for part in (job.live, job.backlog) if part is not None]
    readers = [reader for field in fields for reader in _readers(field)]
    async with open_client(job.url, job.token, 1) as client:
        for some in batched(readers, READERS_A_BEAT):
            beats = [{"reader_id": reader, "buffered": 0} for reader in some]
            body = {"sent_at": now.ts(now.elapsed()), "readers": beats}
            async with client.post("/api/v0/reader/heartbeat", json=body) as answer:
                if not answer.ok:
                    raise Unheard(f"{answer.status}: {await answer.text()}")


def _readers(field: Field) -> list[str]:
    return [reader for butt in field.butts for reader in (butt.target_reader, *butt.bow_readers)]
