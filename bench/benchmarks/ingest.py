"""Single events by many clients at once, each as soon as the one before was answered."""

import time

from bench.fields import set_up, stored
from bench.figures import Run, spread
from bench.load.job import Backlog
from bench.measure import doubts, put_on, run_of
from bench.stack import Stack
from bench.wish import Wish

CLIENTS = 64
# Nobody takes more than so many a second.
MOST_PER_S = 4_000


async def ingest(stack: Stack, wish: Wish) -> Run:
    """One run."""
    field = await set_up(stack, wish.butts)
    events = int(MOST_PER_S * wish.seconds)
    late = Backlog(field, events, 1, CLIENTS, seconds=wish.seconds)
    tally = await put_on(stack, backlog=late)
    # With the last answer it ends, and not all is done.
    ended_at, (done, _) = time.monotonic(), await stored(stack, [field])
    why_not = await doubts(stack, [field], tally)
    figures = {
        "requests/s": tally.backlog_sent / max(tally.backlog_sent_s, 1e-9),
        **spread("answer", tally.answers_ms),
        "left to do at its end": tally.sent - done,
        "that done s": time.monotonic() - ended_at,
    }
    return run_of(figures, tally, why_not)
