"""The usual pace for a long time: whether memory and latency stay what they are."""

from collections.abc import Sequence

from bench.benchmarks.latency import WARM_UP, WARM_UP_S
from bench.fields import set_up
from bench.figures import Run, percentile, spread
from bench.load.job import Live, Phase
from bench.load.shooting import ENGAGE_BEFORE_S
from bench.load.tally import Sample
from bench.measure import doubts, put_on, run_of
from bench.stack import Stack
from bench.wish import Wish

# So many looks at the processes, and stretches with a p99 of their own, whatever the time.
LOOKS = 12
API, WORKER = "api", "worker"


async def soak(stack: Stack, wish: Wish) -> Run:
    """One run."""
    field = await set_up(stack, wish.butts)
    seconds = 60 * wish.minutes
    pace = wish.mean_events_per_s
    phases = [Phase(WARM_UP, pace, WARM_UP_S), Phase("soak", pace, seconds)]
    tally = await put_on(stack, Live(field, phases), sample_s=seconds / LOOKS)
    seen = tally.latencies.get("soak", [])
    figures = {
        **spread("soak", [ms for _, ms in seen]),
        **p99_over_time(seen, seconds),
        **memory_over_time(tally.samples),
    }
    return run_of(figures, tally, await doubts(stack, [field], tally))


def p99_over_time(seen: Sequence[tuple[float, float]], seconds: float) -> dict[str, float]:
    """p99 of each stretch of the soak.

    Args:
        seen: When each landing was due, in seconds after the begin, and its milliseconds.
        seconds: How long the soak is.
    """
    found: dict[str, float] = {}
    every_s = seconds / LOOKS
    for number in range(LOOKS):
        begin_s = ENGAGE_BEFORE_S + WARM_UP_S + number * every_s
        some = [ms for due, ms in seen if begin_s <= due < begin_s + every_s]
        if some:
            found[f"part {number + 1:2} of {LOOKS} p99 ms"] = percentile(some, 99)
    return found


def memory_over_time(samples: Sequence[Sample]) -> dict[str, float]:
    """Megabytes of each process at the start, in the middle and at the end, and whether they grow.

    What is read and compiled for the first time is in the growth until the middle, a leak in that
    from there to the end. Of the workers the one that has or grows most counts.
    """
    first, middle, last = samples[0].usage, samples[len(samples) // 2].usage, samples[-1].usage
    found: dict[str, float] = {}
    for name in last:
        found[f"{name} MB at the start"] = first[name].memory_mb
        found[f"{name} MB in the middle"] = middle[name].memory_mb
        found[f"{name} MB at the end"] = last[name].memory_mb
    for kind in (API, WORKER):
        family = [name for name in last if name.startswith(kind)]
        found[f"each {kind} MB at most"] = max(
            sample.usage[name].memory_mb for sample in samples for name in family
        )
        found[f"each {kind} end / middle"] = max(
            last[name].memory_mb / middle[name].memory_mb for name in family
        )
    return found
