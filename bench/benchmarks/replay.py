"""What was buffered while the server was away, sent as fast as it is taken, while others shoot."""

from bench.benchmarks.latency import WARM_UP, WARM_UP_S
from bench.fields import set_up
from bench.figures import Run, percentile, spread
from bench.load.job import Backlog, Live, Phase
from bench.load.shooting import ENGAGE_BEFORE_S
from bench.measure import doubts, put_on, run_of
from bench.stack import Stack
from bench.wish import Wish

BATCH, GATEWAYS = 200, 8
BEFORE_S = 2.0


async def replay(stack: Stack, wish: Wish) -> Run:
    """One run."""
    shooting, buffered = await set_up(stack, wish.butts), await set_up(stack, wish.butts)
    lasts_s = max(4.0, wish.events / 2_000)
    phases = [
        Phase(WARM_UP, wish.mean_events_per_s, WARM_UP_S),
        Phase("live", wish.mean_events_per_s, BEFORE_S + lasts_s),
    ]
    begins_s = ENGAGE_BEFORE_S + WARM_UP_S + BEFORE_S
    late = Backlog(buffered, wish.events, BATCH, GATEWAYS, begins_s)
    tally = await put_on(stack, Live(shooting, phases), late)
    took = tally.backlog_seen_s
    meanwhile = [
        ms for due, ms in tally.latencies.get("live", []) if begins_s <= due <= begins_s + took
    ]
    figures = {
        "replay events/s": tally.backlog_sent / max(took, 1e-9),
        "accepted events/s": tally.backlog_sent / max(tally.backlog_sent_s, 1e-9),
        "batch p99 ms": percentile(tally.answers_ms, 99),
        **spread("live meanwhile", meanwhile),
    }
    return run_of(figures, tally, await doubts(stack, [shooting, buffered], tally))
