"""Single events by many clients at once, each as soon as the one before was answered."""

from bench.fields import set_up
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
    figures = {
        "requests/s": tally.backlog_sent / max(tally.backlog_sent_s, 1e-9),
        **spread("answer", tally.answers_ms),
    }
    return run_of(figures, tally, await doubts(stack, [field], tally))
