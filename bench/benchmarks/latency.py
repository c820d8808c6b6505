"""Live shooting at the largest indoor event's pace: from the landing to the viewer's frame."""

from bench.fields import set_up
from bench.figures import Run, spread
from bench.load.job import Live, Phase
from bench.measure import doubts, put_on, run_of
from bench.stack import Stack
from bench.wish import Wish

WARM_UP = "warm-up"
WARM_UP_S = 3.0


def at_mean_and_peak(wish: Wish) -> list[Phase]:
    """A little to warm up, then the two paces."""
    return [
        Phase(WARM_UP, wish.mean_events_per_s, WARM_UP_S),
        Phase("mean", wish.mean_events_per_s, wish.seconds),
        Phase("peak", wish.peak_events_per_s, wish.seconds),
    ]


async def latency(stack: Stack, wish: Wish) -> Run:
    """One run."""
    field = await set_up(stack, wish.butts)
    tally = await put_on(stack, Live(field, at_mean_and_peak(wish)))
    figures: dict[str, float] = {}
    for phase, seen in tally.latencies.items():
        if phase != WARM_UP:
            figures |= spread(phase, [ms for _, ms in seen])
    figures |= spread("lag of the load", tally.lag_ms)
    return run_of(figures, tally, await doubts(stack, [field], tally))
