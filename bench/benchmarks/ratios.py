"""Figures of Quiver and of others side by side."""

from collections.abc import Mapping, Sequence

from bench.benchmarks.latency import WARM_UP
from bench.figures import Run, costs, percentile
from bench.load.shooting import EVENTS_A_SHOT
from bench.load.tally import Tally

OTHERS = ("(a)", "(b)", "(c)")
COMPARED = ("mean p50 ms", "mean p99 ms", "peak p50 ms", "peak p99 ms", "replay events/s")


def latencies(name: str, tally: Tally) -> dict[str, float]:
    """Of the landings that were seen, and how many were not."""
    found: dict[str, float] = {}
    for phase, seen in tally.latencies.items():
        if phase != WARM_UP:
            for percent in (50, 99):
                found[f"{name} {phase} p{percent} ms"] = percentile([ms for _, ms in seen], percent)
    for phase, unseen in tally.unseen_live.items():
        found[f"{name} {phase} landings not done"] = unseen
    return found


def replayed(name: str, tally: Tally) -> dict[str, float]:
    """Events a second of those that were done before the deadline, and how many there were."""
    done = tally.backlog_sent - EVENTS_A_SHOT * tally.unseen
    found: dict[str, float] = {
        f"{name} replay events given": tally.backlog_sent,
        f"{name} replay events done": done,
    }
    if done > 0:
        found[f"{name} replay events/s"] = done / max(tally.backlog_seen_s, 1e-9)
    return found


def load_share(name: str, tally: Tally) -> dict[str, float]:
    """What the load generator took of its one core; the floor is in the same process."""
    return {f"{name} load cores": costs(tally)["load"].cores}


def ratios(figures: Mapping[str, float]) -> dict[str, float]:
    """Quiver's figures by the others', of all that both have."""
    return {
        f"quiver / {name}, {what}": figures[f"quiver {what}"] / figures[f"{name} {what}"]
        for name in OTHERS
        for what in COMPARED
        if f"quiver {what}" in figures and f"{name} {what}" in figures
    }


def together(parts: Sequence[Run]) -> Run:
    """One run of several parts."""
    return Run(
        {figure: value for part in parts for figure, value in part.figures.items()},
        [doubt for part in parts for doubt in part.doubts],
        notes=[note for part in parts for note in part.notes],
    )
