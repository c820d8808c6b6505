"""`quiver bench`: how fast it is here."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from cli.failing import told


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("bench")
    def run(
        names: Annotated[
            list[str] | None, typer.Argument(help="Which; else all but growth and soak")
        ] = None,
        against: Annotated[
            bool, typer.Option("--against", help="Beside stock arq and the floor, in the same run")
        ] = False,
        runs: Annotated[int, typer.Option(min=1, help="Of each, for the median")] = 1,
        seconds: Annotated[float, typer.Option(min=1, help="Of each pace")] = 20,
        butts: Annotated[int, typer.Option(min=1, max=2000, help="Of four archers each")] = 399,
        workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes")] = 2,
        rows: Annotated[int, typer.Option(min=0, help="Stored events of growth, at most")] = 10**7,
        minutes: Annotated[float, typer.Option(min=0.05, help="Of soak")] = 60,
        json: Annotated[Path | None, typer.Option(help="Write everything here")] = None,
    ) -> None:
        """Measure on this machine, with stores of its own that are as durable as in earnest."""
        # Only here: nobody else needs the load generator and what it is compared with.
        from bench.suite import chosen
        from bench.wish import Wish, rows_up_to

        with told():
            wish = Wish(
                butts=butts,
                seconds=seconds,
                runs=runs,
                workers=workers,
                rows=rows_up_to(rows),
                minutes=minutes,
            )
            bench(wish, chosen(names or [], against=against), json)


def bench(wish: "Wish", names: list[str], json: Path | None) -> None:
    """Run these, print each when it is done, and write all.

    Raises:
        QuiverError: What is to be measured does not come up, or is not durable.
    """
    from bench.machine import describe
    from bench.report import as_json, show
    from bench.stack import open_stack
    from bench.suite import measure_all

    console = Console()
    found = {}
    with open_stack(wish.workers) as stack:
        about = describe(stack)
        console.print(about["machine"])
        for name, runs in measure_all(stack, wish, names):
            found[name] = runs
            show(name, runs, console)
            if json is not None:
                json.write_bytes(
                    orjson.dumps(as_json(about, asdict(wish), found), option=orjson.OPT_INDENT_2)
                )
    if any(run.doubts for runs in found.values() for run in runs):
        raise typer.Exit(1)
