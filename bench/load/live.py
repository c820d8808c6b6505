"""Live shooting on its way, to its end or until a backlog is published."""

import asyncio
from collections.abc import Iterator, Sequence
from math import inf

from bench.load.seen import Seen
from bench.load.sender import Request, Sender


async def send_live(
    requests: Sequence[Request], sender: Sender, seen: Seen, over: asyncio.Event
) -> None:
    """Send each event when it happens; the tally then knows how long the shooting lasted."""
    await sender.on_schedule(until_over(requests, seen, over), [])
    sender.tally.live_s = sender.begin.elapsed()


def until_over(requests: Sequence[Request], seen: Seen, over: asyncio.Event) -> Iterator[Request]:
    """All of them in order, or once it is over what is left of shots that have begun.

    Nobody waits for the landings of the others.
    """
    begun = -inf
    for request in requests:
        if over.is_set() and request.begins > begun:
            seen.live.pop(request.landing, None)
            continue
        begun = max(begun, request.begins)
        yield request
