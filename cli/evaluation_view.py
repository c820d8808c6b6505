"""What an evaluation found, as tables."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.trial import Result
from simulators.evaluation import FIRST_SHOTS, Evaluation, Verdict

SHOWN_AT_MOST = 20


def show_evaluation(found: Evaluation, title: str = "What the API says of the shots") -> None:
    """The confusion, and how far confidence can be believed."""
    console = Console()
    console.print(_confusion(title, {"shots": found}))
    console.print(_calibration(found))
    _tell_doubts(console, found)
    for release, verdict in found.wrong[:SHOWN_AT_MOST]:
        console.print(f"release {release}: {verdict}")
    if len(found.wrong) > SHOWN_AT_MOST:
        console.print(f"… and {len(found.wrong) - SHOWN_AT_MOST} more")


def show_result(result: Result) -> None:
    """The rules beside the oracle."""
    console = Console()
    console.print(_confusion("A simulated field", {"ours": result.ours, "oracle": result.oracle}))
    for first, name in ((True, f"first {FIRST_SHOTS}"), (False, "later")):
        ours, oracle = result.ours.errors(first=first), result.oracle.errors(first=first)
        ratio = result.ratio(first=first)
        shots = result.ours.shots(first=first)
        console.print(f"{name}: {ours} errors in {shots} shots, oracle {oracle}: {ratio:.2f} times")
    console.print(_calibration(result.ours))
    _tell_doubts(console, result.ours)


def _confusion(title: str, columns: dict[str, Evaluation]) -> Table:
    table = Table(title=title)
    table.add_column("verdict")
    for name in columns:
        table.add_column(name, justify="right")
        table.add_column("percent", justify="right")
    for verdict in Verdict:
        row = [str(verdict)]
        for found in columns.values():
            count = found.counts[verdict]
            row += [str(count), f"{100 * count / max(1, found.total):.2f}"]
        table.add_row(*row)
    table.add_section()
    table.add_row("all", *(cell for e in columns.values() for cell in (str(e.total), "100.00")))
    return table


def _calibration(found: Evaluation) -> Table:
    table = Table(title="Confidence")
    for name in ("from", "shots", "said", "right"):
        table.add_column(name, justify="right")
    for each in found.calibration():
        said, right = f"{100 * each.said:.1f} %", f"{100 * each.right:.1f} %"
        table.add_row(f"{each.begins:.2f}", str(each.shots), said, right)
    return table


def _tell_doubts(console: Console, found: Evaluation) -> None:
    wrong, right = found.ambiguous(right=False), found.ambiguous(right=True)
    console.print(
        f"ambiguous: {100 * wrong:.1f} % of the wrongly assigned, {100 * right:.2f} % of the right"
    )
    console.print(f"landings counted twice: {found.counted_twice}")


def as_json(result: Result) -> dict[str, Any]:
    """The same for programs."""
    trial = result.trial
    return {
        "distance_m": trial.distance,
        "noise_ms": trial.noise_ms,
        "loss": trial.loss,
        "offset_s": trial.offset_s,
        "own_faces": trial.own_faces,
        "seed": trial.seed,
        "ours": summary(result.ours),
        "oracle": summary(result.oracle),
    }


def summary(found: Evaluation) -> dict[str, Any]:
    """An evaluation for programs."""
    return {
        "shots": found.total,
        "verdicts": {verdict.value: count for verdict, count in found.counts.items()},
        "errors_first": found.errors(first=True),
        "errors_later": found.errors(first=False),
        "ambiguous_of_wrong": found.ambiguous(right=False),
        "ambiguous_of_right": found.ambiguous(right=True),
        "counted_twice": found.counted_twice,
        "calibration": [
            {"from": b.begins, "shots": b.shots, "said": b.said, "right": b.right}
            for b in found.calibration()
        ],
    }


def as_markdown(results: Sequence[Result]) -> str:
    """The rows of a grid."""
    lines = [
        "| m | noise, ms | lost | offsets, s | faces | shots | oracle | ours | first 20 | later "
        "| ambiguous of wrong | of right | said ≥ 0.9, right |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        trial, ours, oracle = result.trial, result.ours, result.oracle
        share = [100 * errors(e) / max(1, e.total) for e in (oracle, ours)]
        sure = [b for b in ours.calibration() if b.begins >= 0.9]
        right = sum(b.right * b.shots for b in sure) / max(1, sum(b.shots for b in sure))
        cells = [
            f"{trial.distance:g}",
            f"{trial.noise_ms:g}",
            f"{100 * trial.loss:g} %",
            f"±{trial.offset_s:g}",
            "own" if trial.own_faces else "one",
            str(ours.total),
            f"{share[0]:.2f} %",
            f"{share[1]:.2f} %",
            f"{result.ratio(first=True):.2f}",
            f"{result.ratio(first=False):.2f}",
            f"{100 * ours.ambiguous(right=False):.0f} %",
            f"{100 * ours.ambiguous(right=True):.2f} %",
            f"{100 * right:.2f} %",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def errors(found: Evaluation) -> int:
    """Shots that were assigned wrongly."""
    return found.errors(first=True) + found.errors(first=False)
