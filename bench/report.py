"""Figures as tables and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Run, counting, medians
from bench.goals import GOALS, NOT_JUDGED
from bench.wish import Wish

LARGE = 100.0


def show(name: str, runs: Sequence[Run], wish: Wish, console: Console) -> None:
    """A benchmark's table: the medians, how far the runs lie apart, and the goals."""
    good, found, said = counting(runs), medians(runs), verdicts(name, runs, wish)
    many = f"medians of {len(good)} runs" if len(good) > 1 else "one run"
    table = Table(title=f"{name}: {many if good else 'INVALID'}")
    for column in ("figure", "median", "least", "most", "goal", "goal is"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in dict.fromkeys([*found, *said]):
        cells = _spread(good, figure, found[figure]) if figure in found else ("", "", "")
        table.add_row(figure, *cells, *said.get(figure, ("", "")))
    console.print(table)
    if too_small := GOALS[name].too_small(wish):
        full = ", ".join(f"{size} = {least}" for size, least in too_small.items())
        console.print(f"{NOT_JUDGED}: the goals are for {full}", markup=False)
    _show_remarks(runs, console)
    _show_processes(runs, console)


def _spread(runs: Sequence[Run], figure: str, middle: float) -> tuple[str, str, str]:
    values = [run.figures[figure] for run in runs if figure in run.figures]
    return text(middle), text(min(values)), text(max(values))


def _show_remarks(runs: Sequence[Run], console: Console) -> None:
    for number, run in enumerate(runs, 1):
        for doubt in run.doubts:
            console.print(f"run {number} does not count: {doubt}", style="red", markup=False)
        for note in run.notes:
            console.print(f"run {number}: {note}", style="yellow", markup=False)


def verdicts(name: str, runs: Sequence[Run], wish: Wish) -> dict[str, tuple[str, str]]:
    """By figure that has one: the goal, and whether it is reached by the runs that count."""
    found, goals = medians(runs), GOALS[name]
    return {
        figure: (str(goal), goals.verdict(figure, found, wish)) for figure, goal in goals.of.items()
    }


def _show_processes(runs: Sequence[Run], console: Console) -> None:
    last = runs[-1].processes
    if last:
        table = Table(title="processes, last run")
        for column in ("process", "cores", "cpu s", "MB", "grown MB"):
            table.add_column(column, justify="left" if column == "process" else "right")
        for name, cost in last.items():
            figures = (cost.cores, cost.cpu_s, cost.memory_mb, cost.grown_mb)
            table.add_row(name, *(text(figure) for figure in figures))
        console.print(table)


def text(figure: float) -> str:
    """A figure with as many digits as mean something."""
    if abs(figure) >= LARGE:
        return f"{figure:,.0f}"
    return f"{figure:.2f}" if abs(figure) >= 1 else f"{figure:.3f}"


def as_json(
    about: Mapping[str, Any], wish: Wish, found: Mapping[str, Sequence[Run]]
) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        **about,
        "wish": asdict(wish),
        "benchmarks": {
            name: {
                "is_valid": all(not run.doubts for run in runs),
                "medians": medians(runs),
                "goals": {
                    figure: {"goal": goal, "verdict": verdict}
                    for figure, (goal, verdict) in verdicts(name, runs, wish).items()
                },
                "runs": [asdict(run) for run in runs],
            }
            for name, runs in found.items()
        },
    }
