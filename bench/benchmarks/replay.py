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
BEFORE_S, AFTER_S = 2.0, 4.0
# Live shooting ends with the replay; so much of it is made ready as the slowest would need.
LEAST_EVENTS_PER_S = 100.0


async def replay(stack: Stack, wish: Wish) -> Run:
    """One run."""
    shooting, buffered = await set_up(stack, wish.butts), await set_up(stack, wish.butts)
    lasts_s = BEFORE_S + AFTER_S + wish.events / LEAST_EVENTS_PER_S
    phases = [
        Phase(WARM_UP, wish.mean_events_per_s, WARM_UP_S),
        Phase("live", wish.mean_events_per_s, lasts_s),
    ]
    begins_s = ENGAGE_BEFORE_S + WARM_UP_S + BEFORE_S
    late = Backlog(buffered, wish.events, BATCH, GATEWAYS, begins_s)
    tally = await put_on(stack, Live(shooting, phases, ends_with_backlog=True), late)
    took = tally.backlog_seen_s
    meanwhile = [
        ms for due, ms in tally.latencies.get("live", []) if begins_s <= due <= begins_s + took
    ]
    figures = {
        "replay events/s": tally.backlog_sent / max(took, 1e-9),
        "accepted events/s": tally.backlog_sent / max(tally.backlog_sent_s, 1e-9),
        "batch p99 ms": percentile(tally.answers_ms, 99),
        "replay s": took,
        "live shooting after it s": tally.live_s - begins_s - took,
        **spread("live meanwhile", meanwhile),
    }
    why_not = await doubts(stack, [shooting, buffered], tally)
    if tally.live_s < begins_s + took:
        why_not.append(f"live shooting ended after {tally.live_s:.0f} s, before the replay did")
    return run_of(figures, tally, why_not)
