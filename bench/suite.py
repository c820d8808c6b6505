"""All benchmarks, by name, and how they are run."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from copy import replace
from dataclasses import dataclass
from enum import Enum, auto
from math import ceil
from typing import Any

from bench.benchmarks.against import against as beside_others
from bench.benchmarks.burst import burst
from bench.benchmarks.fanout import fanout
from bench.benchmarks.growth import growth_of_fields, growth_of_rows, growth_of_sessions
from bench.benchmarks.ingest import ingest
from bench.benchmarks.latency import latency
from bench.benchmarks.replay import replay
from bench.benchmarks.soak import soak
from bench.figures import Run, together
from bench.load.shooting import LEAST_SPACING_S
from bench.probes import probed
from bench.stack import Stack, open_stack
from bench.wish import ARCHERS_A_BUTT, Wish
from core.errors import InvalidInputError

type Measure = Callable[[Stack, Wish], Coroutine[Any, Any, Run]]


class Beside(Enum):
    """What runs beside a part of a benchmark: API and workers that were just started; the same with
    stores of their own, in which nothing is; or what it starts itself."""

    SERVERS = auto()
    EMPTY = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One of them.

    Args:
        parts: One run of it.
        beside: What runs beside each of these.
    """

    parts: Sequence[Measure]
    beside: Beside = Beside.SERVERS


BENCHMARKS = {
    "latency": Benchmark([latency]),
    "burst": Benchmark([burst]),
    "replay": Benchmark([replay]),
    "ingest": Benchmark([ingest]),
    "fanout": Benchmark([fanout]),
    "growth": Benchmark([growth_of_fields, growth_of_rows, growth_of_sessions], Beside.EMPTY),
    "soak": Benchmark([soak]),
    "against": Benchmark([beside_others], Beside.NOTHING),
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
    """Run a benchmark as often as wished."""
    benchmark = BENCHMARKS[name]
    for _ in range(wish.runs):
        before, parts = probed(stack.directory, "before"), list[Run]()
        for measure in benchmark.parts:
            with _ready(stack, benchmark.beside) as ready:
                parts.append(asyncio.run(measure(ready, wish)))
        run, after = together(parts), probed(stack.directory, "after")
        yield replace(run, figures={**run.figures, **before, **after})


@contextmanager
def _ready(stack: Stack, beside: Beside) -> Iterator[Stack]:
    """What a part is measured on."""
    if beside is Beside.NOTHING:
        yield stack
    elif beside is Beside.SERVERS:
        with stack.served():
            yield stack
    else:
        with open_stack(stack.workers) as empty, empty.served():
            yield empty
