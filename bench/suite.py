"""All benchmarks, by name, and what each is to reach."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.benchmarks.against import against as beside
from bench.benchmarks.burst import burst
from bench.benchmarks.fanout import fanout
from bench.benchmarks.growth import growth
from bench.benchmarks.ingest import ingest
from bench.benchmarks.latency import latency
from bench.benchmarks.replay import replay
from bench.benchmarks.soak import soak
from bench.figures import Run
from bench.stack import Stack
from bench.wish import Wish
from core.errors import InvalidInputError

type Measure = Callable[[Stack, Wish], Awaitable[Run]]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to be."""

    bound: float
    is_least: bool = False

    def is_met(self, figure: float) -> bool:
        """Whether the figure is good enough."""
        return figure >= self.bound if self.is_least else figure <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One of them.

    Args:
        measure: One run of it.
        goals: By figure.
        is_served: Whether API and workers run beside it; else it starts what it needs.
    """

    measure: Measure
    goals: Mapping[str, Goal] = field(default_factory=dict)
    is_served: bool = True


BENCHMARKS = {
    "latency": Benchmark(latency, {"peak p50 ms": Goal(10), "peak p99 ms": Goal(50)}),
    "burst": Benchmark(burst, {"backlog gone s": Goal(1), "live meanwhile p99 ms": Goal(250)}),
    "replay": Benchmark(
        replay, {"replay events/s": Goal(8_000, True), "live meanwhile p99 ms": Goal(250)}
    ),
    "ingest": Benchmark(ingest, {"requests/s": Goal(1_500, True)}),
    "fanout": Benchmark(
        fanout,
        {
            "all read frames/s": Goal(40_000, True),
            "all read p99 ms": Goal(250),
            "one stalled p99 ms": Goal(250),
            "all read KB/viewer": Goal(60),
        },
    ),
    "growth": Benchmark(
        growth,
        {
            "1000 butts / 10 butts, replay": Goal(1.3),
            "1000 butts / 10 butts, live": Goal(1.3),
            "10,000,000 rows / 0 rows, replay": Goal(1.2),
            "10,000,000 rows / 0 rows, live": Goal(1.2),
        },
    ),
    "soak": Benchmark(soak, {"soak p99 ms": Goal(50)}),
    "against": Benchmark(
        beside,
        {
            "quiver / (a), replay events/s": Goal(10, True),
            "quiver / (c), peak p50 ms": Goal(4),
            "quiver / (c), replay events/s": Goal(0.25, True),
        },
        is_served=False,
    ),
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
        return await benchmark.measure(stack, wish)

    for _ in range(wish.runs):
        if benchmark.is_served:
            with stack.served():
                yield asyncio.run(once())
        else:
            yield asyncio.run(once())
