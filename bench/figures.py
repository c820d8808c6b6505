"""Figures of runs, and what becomes of several runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, nan
from statistics import median

from bench.load.tally import Tally

PERCENTS = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a benchmark.

    Args:
        figures: By name; the name ends in the unit.
        doubts: Why the figures do not count; empty: they do.
        processes: What each family of processes cost while the load lasted.
        notes: What must be known to read the figures, which count all the same.
    """

    figures: Mapping[str, float]
    doubts: Sequence[str] = ()
    processes: Mapping[str, "Cost"] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a family of processes cost.

    Args:
        cores: Of the processor, over the run: 1 is one core, all the time.
        cpu_s: Processor seconds.
        memory_mb: At the end.
        grown_mb: From begin to end.
    """

    cores: float
    cpu_s: float
    memory_mb: float
    grown_mb: float


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that so many percent do not exceed; not a number when there is none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else nan


def spread(name: str, milliseconds: Sequence[float]) -> dict[str, float]:
    """Percentiles and the greatest, under names that begin alike; none of nothing."""
    if not milliseconds:
        return {}
    found = {f"{name} p{percent} ms": percentile(milliseconds, percent) for percent in PERCENTS}
    return found | {f"{name} max ms": max(milliseconds)}


def costs(tally: Tally) -> dict[str, Cost]:
    """What every family cost between the first and the last look."""
    first, last = tally.samples[0], tally.samples[-1]
    lasted = max(1e-9, last.at_s - first.at_s)
    found = {}
    for name, end in last.usage.items():
        begin = first.usage[name]
        cpu_s = end.cpu_s - begin.cpu_s
        grown = end.memory_mb - begin.memory_mb
        found[name] = Cost(cpu_s / lasted, cpu_s, end.memory_mb, grown)
    return found


def load_share(name: str, tally: Tally) -> dict[str, float]:
    """What the load generator took of its one core, and while a backlog was on its way."""
    found = {f"{name} load cores": costs(tally)["load"].cores}
    if tally.backlog_load_cores:
        found[f"{name} load cores meanwhile"] = tally.backlog_load_cores
    return found


def together(parts: Sequence[Run]) -> Run:
    """One run of several parts."""
    return Run(
        {figure: value for part in parts for figure, value in part.figures.items()},
        [doubt for part in parts for doubt in part.doubts],
        {name: cost for part in parts for name, cost in part.processes.items()},
        [note for part in parts for note in part.notes],
    )


def counting(runs: Sequence[Run]) -> list[Run]:
    """Those of which nobody doubts the figures."""
    return [run for run in runs if not run.doubts]


def medians(runs: Sequence[Run]) -> dict[str, float]:
    """Of each figure, over the runs that count."""
    good = counting(runs)
    names = dict.fromkeys(name for run in good for name in run.figures)
    return {name: median(r.figures[name] for r in good if name in r.figures) for name in names}
