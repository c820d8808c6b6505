"""Figures of Quiver and of others side by side."""

from collections.abc import Mapping

from bench.benchmarks.latency import WARM_UP
from bench.figures import percentile
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


def steps(name: str, live: Tally, late: Tally) -> dict[str, float]:
    """What the floor is made of: of a round of live shooting in the middle, and of a backlog's
    event."""
    found: dict[str, float] = {}
    for step, took in live.steps_ms.items():
        found[f"{name} {step} p50 ms"] = percentile(took, 50)
    for step, took in late.steps_ms.items():
        found[f"{name} replay {step} µs/event"] = 1000 * sum(took) / max(1, late.backlog_sent)
    return found


def ratios(figures: Mapping[str, float]) -> dict[str, float]:
    """Quiver's figures by the others', of all that both have."""
    return {
        f"quiver / {name}, {what}": figures[f"quiver {what}"] / figures[f"{name} {what}"]
        for name in OTHERS
        for what in COMPARED
        if f"quiver {what}" in figures and f"{name} {what}" in figures
    }
