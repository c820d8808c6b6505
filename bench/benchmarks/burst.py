"""Ten seconds of far more than anybody shoots, on top of live shooting."""

from bench.benchmarks.latency import WARM_UP, WARM_UP_S
from bench.fields import set_up
from bench.figures import Run, percentile, spread
from bench.load.job import Backlog, Live, Phase
from bench.load.shooting import ENGAGE_BEFORE_S
from bench.measure import doubts, put_on, run_of
from bench.stack import Stack
from bench.wish import Wish

# What a gateway sends at once while it relays what it hears.
BATCH, GATEWAYS = 20, 64
# Live shooting ends when what the burst left is gone, or so long after it.
BEFORE_S, AFTER_S = 2.0, 60.0


async def burst(stack: Stack, wish: Wish) -> Run:
    """One run."""
    shooting, besides = await set_up(stack, wish.butts), await set_up(stack, wish.butts)
    pace = wish.mean_events_per_s
    lasts_s = BEFORE_S + wish.burst_seconds + AFTER_S
    phases = [Phase(WARM_UP, pace, WARM_UP_S), Phase("live", pace, lasts_s)]
    begins_s = ENGAGE_BEFORE_S + WARM_UP_S + BEFORE_S
    events = int(wish.burst_events_per_s * wish.burst_seconds)
    late = Backlog(besides, events, BATCH, GATEWAYS, begins_s, wish.burst_events_per_s)
    tally = await put_on(stack, Live(shooting, phases, ends_with_backlog=True), late)
    ends_s = begins_s + max(wish.burst_seconds, tally.backlog_seen_s)
    meanwhile = [ms for due, ms in tally.latencies.get("live", []) if begins_s <= due <= ends_s]
    figures = {
        "backlog gone s": max(0.0, tally.backlog_seen_s - wish.burst_seconds),
        "answers p99 ms": percentile(tally.answers_ms, 99),
        **spread("live meanwhile", meanwhile),
    }
    return run_of(figures, tally, await doubts(stack, [shooting, besides], tally))
