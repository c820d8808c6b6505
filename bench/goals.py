"""What each figure is to reach, and when a run is large enough to say whether it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from bench.wish import Wish

REACHED, MISSED = "reached", "missed"
NOT_JUDGED, NOT_MEASURED = "not judged", "not measured"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to be.

    Args:
        bound: The most, or the least.
        is_least: Which of both.
        sizes: As of `Goals`, for this one besides.
    """

    bound: float
    is_least: bool = False
    sizes: Sequence[str] = ()

    def is_met(self, figure: float) -> bool:
        """Whether the figure is good enough."""
        return figure >= self.bound if self.is_least else figure <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Goals:
    """A benchmark's.

    Args:
        of: By figure.
        sizes: What must be wished as large as by default, by the names of `Wish`: a goal that is
            met by less says nothing.
    """

    of: Mapping[str, Goal]
    sizes: Sequence[str]

    def too_small(self, wish: Wish, name: str | None = None) -> dict[str, Any]:
        """What was wished smaller than the goals are for: the sizes that it would take.

        Args:
            wish: What was measured.
            name: The figure that is to be judged; None: all.
        """
        goals = self.of.values() if name is None else [self.of[name]]
        sizes = [*self.sizes, *(size for goal in goals for size in goal.sizes)]
        full = {size: getattr(Wish(), size) for size in sizes}
        return {size: least for size, least in full.items() if getattr(wish, size) < least}

    def verdict(self, name: str, figures: Mapping[str, float], wish: Wish) -> str:
        """Whether a figure's goal is reached.

        Args:
            name: The figure, which has a goal.
            figures: Of runs that count.
            wish: What was measured.
        """
        if self.too_small(wish, name):
            return NOT_JUDGED
        if isnan(figure := figures.get(name, float("nan"))):
            return NOT_MEASURED
        return REACHED if self.of[name].is_met(figure) else MISSED


GOALS = {
    "latency": Goals({"peak p50 ms": Goal(10), "peak p99 ms": Goal(50)}, ["butts", "seconds"]),
    "burst": Goals(
        {"backlog gone s": Goal(1), "live meanwhile p99 ms": Goal(250)},
        ["butts", "burst_events_per_s", "burst_seconds"],
    ),
    "replay": Goals(
        {"replay events/s": Goal(8_000, True), "live meanwhile p99 ms": Goal(250)},
        ["butts", "events"],
    ),
    "ingest": Goals({"requests/s": Goal(1_500, True)}, ["butts", "seconds"]),
    "fanout": Goals(
        {
            "all read frames/s": Goal(40_000, True),
            "all read p99 ms": Goal(250),
            "one stalled p99 ms": Goal(250),
            "all read KB/viewer": Goal(60),
        },
        ["butts", "viewers", "shots_per_s", "seconds"],
    ),
    "growth": Goals(
        {
            "1000 butts / 10 butts, replay": Goal(1.3, sizes=["butts_of_growth"]),
            "1000 butts / 10 butts, live": Goal(1.3, sizes=["butts_of_growth"]),
            "10,000,000 rows / 0 rows, replay": Goal(1.2, sizes=["butts", "rows"]),
            "10,000,000 rows / 0 rows, live": Goal(1.2, sizes=["butts", "rows"]),
            "300 sessions / 0 sessions, replay": Goal(1.2, sizes=["butts", "sessions"]),
            "300 sessions / 0 sessions, live": Goal(1.2, sizes=["butts", "sessions"]),
        },
        ["seconds", "events"],
    ),
    "soak": Goals(
        {
            "soak p99 ms": Goal(50),
            "each api MB at most": Goal(150),
            "each worker MB at most": Goal(150),
            "each api end / middle": Goal(1.05),
            "each worker end / middle": Goal(1.05),
        },
        ["butts", "minutes"],
    ),
    "against": Goals(
        {
            "quiver / (a), replay events/s": Goal(10, True),
            "quiver / (c), peak p50 ms": Goal(4),
            "quiver / (c), replay events/s": Goal(0.25, True),
        },
        ["butts", "seconds", "events"],
    ),
}
