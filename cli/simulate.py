"""`quiver simulate`: simulated readers against a running API."""

import asyncio
import signal
from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich import progress as rich_progress

from core.settings import Settings
from simulators import faults
from simulators.api import ApiRefused
from simulators.faults import Fault
from simulators.run import Progress, Run, run_tournament
from simulators.tournament import Plan
from simulators.truth import Truth


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="Simulated readers against a running API", no_args_is_help=True)
    commands.callback()(_about)

    # The fields of the wish are the command's options.
    @commands.command("tournament")
    @wraps(Wish, updated=())
    def run(**wished: Any) -> None:
        tournament(Wish(**wished))

    app.add_typer(commands, name="simulate")


def _about() -> None:
    """Simulated readers against a running API."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Set a tournament up and shoot it; Ctrl-C ends it early."""

    butts: Annotated[int, typer.Option(min=1, max=1000, help="How many butts")] = 4
    archers_per_butt: Annotated[int, typer.Option(min=1, max=4)] = 4
    ends: Annotated[int, typer.Option(min=1, max=100)] = 4
    arrows_per_end: Annotated[int, typer.Option(min=1, max=12)] = 6
    distance: Annotated[float, typer.Option(min=5, max=90, help="Metres")] = 70
    speed: Annotated[float, typer.Option(min=1, help="How much faster than life")] = 1
    seed: Annotated[int, typer.Option(help="The same seed gives the same tournament")] = 1
    spacing: Annotated[
        Literal["clear", "dense"], typer.Option(help="dense: the four of a butt shoot all at once")
    ] = "clear"
    truth: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write here what really happened, for `evaluate`"),
    ] = None
    drop: Annotated[float, typer.Option(min=0, max=1, help="Share of events lost")] = 0
    duplicate: Annotated[float, typer.Option(min=0, max=1, help="Share of events sent twice")] = 0
    delay: Annotated[float, typer.Option(min=0, max=1, help="Share of events sent late")] = 0
    delay_max: Annotated[
        float, typer.Option(min=0, help="Seconds late at most, of simulated time")
    ] = 30
    reorder: Annotated[bool, typer.Option("--reorder", help="Events in another order")] = False
    clock_offset: Annotated[
        float, typer.Option(min=0, help="Seconds a reader's clock is ahead or behind at most")
    ] = 0
    clock_noise: Annotated[
        float, typer.Option(min=0, help="Seconds that each event's time is off, one sigma")
    ] = 0
    own_faces: Annotated[
        bool, typer.Option("--own-faces", help="A face for each archer, not one for all")
    ] = False
    clock_drift: Annotated[
        float, typer.Option(min=0, help="Millionths by which a reader's clock drifts at most")
    ] = 0
    url: Annotated[str | None, typer.Option(help="The API; else QUIVER_API_URL")] = None
    token: Annotated[str | None, typer.Option(help="An admin's; else QUIVER_TOKEN")] = None

    @property
    def plan(self) -> Plan:
        """The tournament."""
        return Plan(
            self.butts,
            self.archers_per_butt,
            self.ends,
            self.arrows_per_end,
            self.distance,
            self.seed,
            self.spacing,
            self.own_faces,
        )

    @property
    def faults(self) -> list[Fault]:
        """What is to go wrong."""
        wished = [
            (self.drop, faults.drop(self.drop)),
            (self.duplicate, faults.duplicate(self.duplicate)),
            (self.delay, faults.delay(self.delay, self.delay_max)),
            (self.reorder, faults.reorder()),
            (self.clock_noise, faults.clock_noise(self.clock_noise)),
            (self.clock_offset, faults.clock_offset(self.clock_offset)),
            (self.clock_drift, faults.clock_drift(self.clock_drift)),
        ]
        return [fault for is_wished, fault in wished if is_wished]


def tournament(wish: Wish) -> None:
    """Set a tournament up, shoot it, and say what came of it."""
    settings = Settings()
    admin = wish.token or settings.quiver_token
    if admin is None:
        _fail("an admin token is needed: give --token or set QUIVER_TOKEN")
    if wish.truth is not None and not wish.truth.absolute().parent.is_dir():
        _fail(f"--truth: there is no folder {wish.truth.absolute().parent}")
    run = Run(wish.plan, wish.url or settings.quiver_api_url, admin, wish.speed, wish.faults)
    shown = _Shown()
    happened = _play(run, shown)
    _tell(happened, shown.last)
    if wish.truth is not None:
        _write(happened, wish.truth)


@dataclass(slots=True)
class _Shown:
    """What the bar last showed."""

    last: Progress | None = None


def _play(run: Run, shown: _Shown) -> Truth:
    with rich_progress.Progress(
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeElapsedColumn(),
    ) as display:
        task = display.add_task("setting up", total=None)

        def show(progress: Progress) -> None:
            shown.last = progress
            said = f"{progress.due} events sent, {progress.buffered} buffered, accepted"
            total, accepted = progress.total, progress.accepted
            display.update(task, total=total, completed=accepted, description=said)

        def started(session_id: str) -> None:
            display.console.print(f"session {session_id}", soft_wrap=True, highlight=False)

        try:
            return asyncio.run(_until_interrupted(replace(run, progress=show, started=started)))
        except ApiRefused as error:
            # What is left of the bar would stand between the command and its sentence.
            display.stop()
            _fail(str(error))


async def _until_interrupted(run: Run) -> Truth:
    """The first Ctrl-C ends the tournament, the second the command."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    return await run_tournament(replace(run, stop=stop))


def _tell(happened: Truth, progress: Progress | None) -> None:
    made = sum(shot.release_sent for shot in happened.shots)
    typer.echo(f"session {happened.session_id}: {made} of {len(happened.shots)} shots were sent")
    if progress is not None and progress.retries:
        typer.echo(f"requests that had to be sent again: {progress.retries}")
    if progress is not None and progress.rejected:
        _warn(f"{progress.rejected} events were refused", progress.reasons)


def _warn(sentence: str, reasons: Sequence[str]) -> None:
    typer.secho("\n  ".join([f"{sentence}:", *reasons]), fg=typer.colors.YELLOW, err=True)


def _write(happened: Truth, path: Path) -> None:
    try:
        happened.write(path)
    except OSError as error:
        _fail(f"--truth: {error}")
    typer.echo(f"what really happened is in {path}: quiver evaluate --truth {path}")


def _fail(sentence: str) -> NoReturn:
    typer.secho(f"quiver simulate: {sentence}", fg=typer.colors.RED, err=True)
    raise typer.Exit(1)
