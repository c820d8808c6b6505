"""All benchmarks, by name, and how they are run."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from math import ceil

from bench.benchmarks.against import against as beside
from bench.benchmarks.burst import burst
from bench.benchmarks.fanout import fanout
from bench.benchmarks.growth import growth
from bench.benchmarks.ingest import ingest
from bench.benchmarks.latency import latency
from bench.benchmarks.replay import replay
from bench.benchmarks.soak import soak
from bench.figures import Run
from bench.load.shooting import LEAST_SPACING_S
from bench.probes import probed
from bench.stack import Stack
from bench.wish import ARCHERS_A_BUTT, Wish
from core.errors import InvalidInputError

type Measure = Callable[[Stack, Wish], Awaitable[Run]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One of them.

    Args:
        measure: One run of it.
        is_served: Whether API and workers run beside it; else it starts what it needs.
    """

    measure: Measure
    is_served: bool = True


BENCHMARKS = {
    "latency": Benchmark(latency),
    "burst": Benchmark(burst),
    "replay": Benchmark(replay),
    "ingest": Benchmark(ingest),
    "fanout": Benchmark(fanout),
    "growth": Benchmark(growth),
    "soak": Benchmark(soak),
    "against": Benchmark(beside, is_served=False),
}
ON_DEMAND = ("growth", "soak", "against")


def chosen(names: Sequence[str], *, against: bool) -> list[str]:
    """Which to run.

    Raises:
        InvalidInputError: There is none of such a name.
    """
    for name in names:
        if name != "all" and name not in BENCHMARKS:
            raise InvalidInputError(name, f"there is only {', '.join(BENCHMARKS)} and all")
    found = [name for name in BENCHMARKS if name in names or "all" in names]
    if not names:
        found = [name for name in BENCHMARKS if name not in ON_DEMAND]
    return [*found, *(["against"] if against and "against" not in found else [])]


def check_large_enough(names: Sequence[str], wish: Wish) -> None:
    """See that the archers can shoot as fast as they are to.

    Raises:
        InvalidInputError: They cannot.
    """
    least = ceil(wish.shots_per_s * LEAST_SPACING_S / ARCHERS_A_BUTT)
    if "fanout" in names and wish.butts < least:
        reason = f"fanout has {wish.shots_per_s:g} shots a second, which takes {least} butts"
        raise InvalidInputError("--butts", reason)


def measure_all(
    stack: Stack, wish: Wish, names: Sequence[str]
) -> Iterator[tuple[str, Sequence[Run]]]:
    """Each benchmark with all its runs, as soon as they are done."""
    for name in names:
        yield name, list(_runs(stack, wish, name))


def _runs(stack: Stack, wish: Wish, name: str) -> Iterator[Run]:
    """Run a benchmark as often as wished, each time with API and workers just started."""
    benchmark = BENCHMARKS[name]

    async def once() -> Run:
        before = probed(stack.directory, "before")
        run = await benchmark.measure(stack, wish)
        after = probed(stack.directory, "after")
        return replace(run, figures={**run.figures, **before, **after})

    for _ in range(wish.runs):
        if benchmark.is_served:
            with stack.served():
                yield asyncio.run(once())
        else:
            yield asyncio.run(once())
