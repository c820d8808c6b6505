"""What `quiver bench` was asked for."""

from dataclasses import dataclass

# The largest indoor event: so many butts of four archers, at the pace that it had.
LARGEST_BUTTS = 399
ARCHERS_A_BUTT = 4
MEAN_EVENTS_PER_S, PEAK_EVENTS_PER_S = 80.0, 228.0
ROWS = (0, 1_000_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Wish:
    """How large and how long.

    Args:
        butts: With four archers each; the pace of live shooting goes with it.
        seconds: Of each pace, and of single posts.
        runs: Of each benchmark.
        workers: Worker processes.
        events: Of a replay.
        burst_events_per_s: On top of live shooting.
        burst_seconds: How long.
        viewers: Of one session.
        shots_per_s: Of that session.
        butts_of_growth: The fields that are compared.
        rows: Stored events that are compared.
        sessions: At how many each reader was before, of those that are compared.
        minutes: Of the soak.
    """

    butts: int = LARGEST_BUTTS
    seconds: float = 20.0
    runs: int = 1
    workers: int = 2
    events: int = 20_000
    burst_events_per_s: float = 2_000.0
    burst_seconds: float = 10.0
    viewers: int = 1_000
    shots_per_s: float = 40.0
    butts_of_growth: tuple[int, ...] = (10, 100, 1_000)
    rows: tuple[int, ...] = ROWS
    sessions: tuple[int, ...] = (0, 300)
    minutes: float = 60.0

    @property
    def mean_events_per_s(self) -> float:
        """The usual pace of live shooting."""
        return MEAN_EVENTS_PER_S * self.butts / LARGEST_BUTTS

    @property
    def peak_events_per_s(self) -> float:
        """Its greatest."""
        return PEAK_EVENTS_PER_S * self.butts / LARGEST_BUTTS


def rows_up_to(most: int) -> tuple[int, ...]:
    """The sizes of the table that are compared, when it may be no larger."""
    return tuple(sorted({min(rows, most) for rows in ROWS}))
