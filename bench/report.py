"""Figures as tables and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Run, medians
from bench.suite import BENCHMARKS

LARGE = 100.0


def show(name: str, runs: Sequence[Run], console: Console) -> None:
    """A benchmark's table: the medians, how far the runs lie apart, and the goals."""
    found = medians(runs)
    counting = sum(not run.doubts for run in runs)
    table = Table(title=f"{name}: medians of {counting} runs" if counting else f"{name}: INVALID")
    for column in ("figure", "median", "least", "most", "goal", "met"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure, value in found.items():
        all_of_it = [run.figures[figure] for run in runs if figure in run.figures]
        cells = [text(each) for each in (value, min(all_of_it), max(all_of_it))]
        table.add_row(figure, *cells, *_against_its_goal(name, figure, value))
    console.print(table)
    for number, run in enumerate(runs, 1):
        for doubt in run.doubts:
            console.print(f"run {number} does not count: {doubt}", style="red", markup=False)
    _show_processes(runs, console)


def _against_its_goal(name: str, figure: str, value: float) -> tuple[str, str]:
    """A figure's goal, and whether it is met."""
    goal = BENCHMARKS[name].goals.get(figure)
    return ("", "") if goal is None else (str(goal), "yes" if goal.is_met(value) else "no")


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
    return f"{figure:,.0f}" if abs(figure) >= LARGE else f"{figure:.2f}"


def as_json(
    about: Mapping[str, Any], wish: Mapping[str, Any], found: Mapping[str, Sequence[Run]]
) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        **about,
        "wish": wish,
        "benchmarks": {
            name: {
                "is_valid": all(not run.doubts for run in runs),
                "medians": medians(runs),
                "runs": [asdict(run) for run in runs],
            }
            for name, runs in found.items()
        },
    }
