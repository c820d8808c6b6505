"""The usual pace for a long time: whether memory and latency stay what they are."""

from bench.benchmarks.latency import WARM_UP, WARM_UP_S
from bench.fields import set_up
from bench.figures import Run, percentile, spread
from bench.load.job import Live, Phase, Tally
from bench.measure import doubts, put_on, run_of
from bench.stack import Stack
from bench.wish import Wish

# So many looks at the processes, whatever the time.
LOOKS = 12


async def soak(stack: Stack, wish: Wish) -> Run:
    """One run."""
    field = await set_up(stack, wish.butts)
    seconds = 60 * wish.minutes
    pace = wish.mean_events_per_s
    phases = [Phase(WARM_UP, pace, WARM_UP_S), Phase("soak", pace, seconds)]
    tally = await put_on(stack, Live(field, phases), sample_s=seconds / LOOKS)
    seen = tally.latencies.get("soak", [])
    figures = spread("soak", [ms for _, ms in seen]) | _over_time(tally, seen, seconds / LOOKS)
    return run_of(figures, tally, await doubts(stack, [field], tally))


def _over_time(tally: Tally, seen: list[tuple[float, float]], every_s: float) -> dict[str, float]:
    """Memory at each look, and p99 since the one before."""
    found: dict[str, float] = {}
    for sample in tally.samples:
        since = [ms for due, ms in seen if sample.at_s - every_s <= due < sample.at_s]
        label = f"at {sample.at_s / 60:5.1f} min"
        if since:
            found[f"{label} p99 ms"] = percentile(since, 99)
        found |= {f"{label} {name} MB": used.memory_mb for name, used in sample.usage.items()}
    return found
