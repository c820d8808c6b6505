"""A crowd of viewers beside the live shooting of a job, one of whom may stop to read."""

import asyncio

from bench.load.job import Crowd
from bench.load.seen import Seen
from bench.load.viewers import Viewer, join
from bench.usage import usage_of

AT_ONCE = 20
API = "api"


async def gather(crowd: Crowd, url: str, session_id: str, seen: Seen, api: int) -> list[Viewer]:
    """All viewers, the first of whom tell what they see; the tally then knows what each costs."""
    before = usage_of({API: api})[API].memory_mb
    viewers: list[Viewer] = []
    for first in range(0, crowd.viewers, AT_ONCE):
        some = range(first, min(first + AT_ONCE, crowd.viewers))
        viewers += await asyncio.gather(
            *(join(url, session_id, seen.frame if n == crowd.viewers - 1 else None) for n in some)
        )
    after = usage_of({API: api})[API].memory_mb
    seen.tally.viewer_kb = 1024 * (after - before) / crowd.viewers
    if crowd.is_one_stalled and viewers[0].transport is not None:
        viewers[0].transport.pause_reading()
    return viewers
