"""`quiver simulate`: simulated readers against a running API."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
)
from rich.progress import Progress as Bar
from rich.progress import TextColumn, TimeElapsedColumn

from core.settings import Settings
from simulators.api import ApiRefused
from simulators.faults import Fault, clock_offset, delay, drop, duplicate, reorder
from simulators.run import Progress, Run, run_tournament
from simulators.tournament import Plan
from simulators.truth import Truth

type Share = Annotated[float, typer.Option(min=0, max=1)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="Simulated readers against a running API", no_args_is_help=True)
    commands.callback()(_about)
    commands.command("tournament")(tournament)
    app.add_typer(commands, name="simulate")


def _about() -> None:
    """Simulated readers against a running API."""


# Every option of a command is an argument of its function.
# pylint: disable-next=too-many-arguments,too-many-positional-arguments,too-many-locals
def tournament(
    butts: Annotated[int, typer.Option(min=1, max=1000, help="How many butts")] = 4,
    archers_per_butt: Annotated[int, typer.Option(min=1, max=4)] = 4,
    ends: Annotated[int, typer.Option(min=1, max=100)] = 4,
    arrows_per_end: Annotated[int, typer.Option(min=1, max=12)] = 6,
    distance: Annotated[float, typer.Option(min=5, max=90, help="Metres")] = 70,
    speed: Annotated[float, typer.Option(min=1, help="How much faster than life")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same tournament")] = 1,
    spacing: Annotated[
        Literal["clear", "dense"], typer.Option(help="dense: the four of a butt shoot all at once")
    ] = "clear",
    truth: Annotated[
        Path | None, typer.Option(help="Write here what really happened, for `evaluate`")
    ] = None,
    drop_share: Annotated[float, typer.Option("--drop", min=0, max=1, help="Events lost")] = 0,
    duplicate_share: Annotated[
        float, typer.Option("--duplicate", min=0, max=1, help="Events sent twice")
    ] = 0,
    delay_share: Annotated[
        float, typer.Option("--delay", min=0, max=1, help="Events sent late")
    ] = 0,
    delay_max: Annotated[float, typer.Option(min=0, help="Seconds late at most")] = 30,
    reordered: Annotated[bool, typer.Option("--reorder", help="Events in another order")] = False,
    clock_offset_s: Annotated[
        float, typer.Option("--clock-offset", min=0, help="Seconds clocks differ by at most")
    ] = 0,
    url: Annotated[str | None, typer.Option(help="The API; else QUIVER_API_URL")] = None,
    token: Annotated[str | None, typer.Option(help="An admin's; else QUIVER_TOKEN")] = None,
) -> None:
    """Set a tournament up and shoot it."""
    settings = Settings()
    admin = token or settings.quiver_token
    if admin is None:
        _fail("an admin token is needed: give --token or set QUIVER_TOKEN")
    plan = Plan(butts, archers_per_butt, ends, arrows_per_end, distance, seed, spacing)
    wished = [
        (drop_share, drop(drop_share)),
        (duplicate_share, duplicate(duplicate_share)),
        (delay_share, delay(delay_share, delay_max)),
        (reordered, reorder()),
        (clock_offset_s, clock_offset(clock_offset_s)),
    ]
    faults = [fault for is_wished, fault in wished if is_wished]
    happened = _play(plan, url or settings.quiver_api_url, admin or "", speed, faults)
    typer.echo(f"session {happened.session_id}: {len(happened.shots)} shots were made")
    if truth is not None:
        happened.write(truth)
        typer.echo(f"what really happened is in {truth}: quiver evaluate --truth {truth}")


def _play(plan: Plan, url: str, token: str, speed: float, faults: list[Fault]) -> Truth:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn()) as shown:
        task = shown.add_task("events accepted", total=None)

        def show(progress: Progress) -> None:
            refused = f", {progress.rejected} refused" if progress.rejected else ""
            said = f"events accepted{refused}"
            shown.update(task, total=progress.total, completed=progress.accepted, description=said)

        run = Run(plan, url, token, speed, faults, show)
        try:
            return asyncio.run(run_tournament(run))
        except ApiRefused as error:
            return _fail(str(error))


def _fail(sentence: str) -> Truth:
    typer.secho(f"quiver simulate: {sentence}", fg=typer.colors.RED, err=True)
    raise typer.Exit(1)
