"""`quiver bench`: how fast it is here."""

from pathlib import Path
from typing import Annotated

import typer

from bench.wish import Wish, rows_up_to
from cli.failing import told
from cli.machine import DEFAULT_WORKERS, Workers
from cli.stopping import Stopping, end_with_uv


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("bench")
    def run(
        names: Annotated[
            list[str] | None,
            typer.Argument(
                help="Which: latency, burst, replay, ingest, fanout, growth, soak, against or all; "
                "else all but the last three of these"
            ),
        ] = None,
        against: Annotated[
            bool, typer.Option("--against", help="Beside stock arq and the floor, in the same run")
        ] = False,
        runs: Annotated[int, typer.Option(min=1, help="Of each, for the median")] = 1,
        seconds: Annotated[float, typer.Option(min=1, max=3600, help="Of each pace")] = 20,
        butts: Annotated[int, typer.Option(min=1, max=2000, help="Of four archers each")] = 399,
        workers: Workers = DEFAULT_WORKERS,
        rows: Annotated[int, typer.Option(min=0, help="Stored events of growth, at most")] = 10**7,
        minutes: Annotated[float, typer.Option(min=0.05, max=1440, help="Of soak")] = 60,
        json: Annotated[Path | None, typer.Option(help="Write everything here")] = None,
    ) -> None:
        """Measure on this machine, with stores of its own that are as durable as in earnest.

        Exit status 1: something that was sent was not stored or not seen, so figures do not count.
        """
        # Only here: nobody else needs the load generator and what it is compared with.
        from bench.measuring import measure

        wish = Wish(
            butts=butts,
            seconds=seconds,
            runs=runs,
            workers=workers,
            rows=rows_up_to(rows),
            minutes=minutes,
        )
        # Whatever ends it, its directory goes.
        Stopping()
        end_with_uv()
        with told():
            are_valid = measure(wish, names or [], json, against=against)
        if not are_valid:
            raise typer.Exit(1)
