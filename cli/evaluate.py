"""`quiver evaluate`: what the API says held against what really happened, or what the rules make of
a simulated field."""

import asyncio
import time
from dataclasses import dataclass
from functools import wraps
from json import dumps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cli.evaluation_view import as_json, as_markdown, show_evaluation, show_result, summary
from cli.grid import missed_goals, run_grid, write_grid
from cli.trial import Trial, run_trial
from core.settings import Settings
from simulators.api import Api, ApiBusy, ApiRefused, open_api
from simulators.evaluation import Evaluation, evaluate
from simulators.truth import Truth, read_truth

LOOK_EVERY_S = 0.2


def register(app: typer.Typer) -> None:
    """Add the command."""

    # The fields of the wish are the command's options.
    @app.command("evaluate")
    @wraps(Wish, updated=())
    def run(**wished: Any) -> None:
        evaluate_command(Wish(**wished))


@dataclass(frozen=True, slots=True)
class Wish:
    """Hold shots against what really happened, and print tables.

    With --truth: what a server says. With --field: what the rules make of a simulated field, beside
    an oracle that knows what no server can, without a server. With --grid: of all kinds of fields.

    Exit status 0: enough is right; 1: not enough; 2: there is nothing to compare.
    """

    truth: Annotated[Path | None, typer.Option(help="What `simulate` wrote")] = None
    url: Annotated[str | None, typer.Option(help="The API; else where it was sent to")] = None
    token: Annotated[str | None, typer.Option(help="An admin's; else QUIVER_TOKEN")] = None
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the workers")] = 60
    at_least: Annotated[
        float, typer.Option(min=0, max=100, help="Percent that must be right for exit status 0")
    ] = 100
    field: Annotated[bool, typer.Option("--field", help="A simulated field, no server")] = False
    grid: Annotated[bool, typer.Option("--grid", help="Fields of all kinds, no server")] = False
    distance: Annotated[float, typer.Option(min=5, max=90, help="Of the field, metres")] = 70
    noise_ms: Annotated[float, typer.Option(min=0, help="How far event times are off")] = 10
    loss: Annotated[float, typer.Option(min=0, max=0.9, help="Share of events lost")] = 0.01
    offset: Annotated[float, typer.Option(min=0, help="Seconds a clock is off at most")] = 0
    own_faces: Annotated[bool, typer.Option("--own-faces", help="A face for each archer")] = False
    shots: Annotated[int, typer.Option(min=240, help="About how many, of each field")] = 20_000
    seed: Annotated[int, typer.Option(help="The same seed gives the same field")] = 1
    goals: Annotated[
        bool, typer.Option("--goals", help="Exit status 1 when the rules miss a goal")
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print JSON, not tables")] = False
    write: Annotated[
        Path | None, typer.Option(help="Put the grid's table between a document's marks")
    ] = None

    @property
    def trial(self) -> Trial:
        """The field."""
        return Trial(
            self.distance,
            self.noise_ms,
            self.loss,
            self.offset,
            self.own_faces,
            self.shots,
            self.seed,
        )


def evaluate_command(wish: Wish) -> None:
    """Do what is wished."""
    if sum((wish.truth is not None, wish.field, wish.grid)) != 1:
        _fail("give one of --truth, --field and --grid")
    if wish.truth is not None:
        _hold_against_truth(wish, wish.truth)
    else:
        _try_rules(wish)


def _hold_against_truth(wish: Wish, truth: Path) -> None:
    settings = Settings()
    try:
        happened = read_truth(truth)
        token = wish.token or settings.quiver_token
        found = asyncio.run(_evaluate(happened, wish.url, token, wish.wait))
    except (ApiRefused, ValueError, OSError) as error:
        _fail(str(error), error)
    if wish.json:
        typer.echo(dumps(summary(found), indent=1))
    else:
        show_evaluation(found)
    if found.percent_right < wish.at_least:
        raise typer.Exit(1)


def _try_rules(wish: Wish) -> None:
    results = list(run_grid(wish.shots, wish.seed)) if wish.grid else [run_trial(wish.trial)]
    if wish.json:
        typer.echo(dumps([as_json(result) for result in results], indent=1))
    elif wish.grid:
        typer.echo(as_markdown(results))
    else:
        show_result(results[0])
    if wish.write is not None:
        try:
            write_grid(wish.write, results)
        except (OSError, ValueError) as error:
            _fail(str(error), error)
    missed = missed_goals(results) if wish.goals else []
    for sentence in missed:
        typer.secho(sentence, fg=typer.colors.YELLOW, err=True)
    if missed:
        raise typer.Exit(1)


def _fail(sentence: str, error: Exception | None = None) -> NoReturn:
    typer.secho(f"quiver evaluate: {sentence}", fg=typer.colors.RED, err=True)
    raise typer.Exit(2) from error


async def _evaluate(truth: Truth, url: str | None, token: str | None, wait_s: float) -> Evaluation:
    async with open_api(url or truth.url, token) as client:
        api = Api(client)
        path = f"/session/{truth.session_id}/shot"
        until = time.monotonic() + wait_s
        while (busy := await _at_work(api, path)) is not None:
            if time.monotonic() > until:
                typer.secho(f"after {wait_s:g} s still {busy}", fg=typer.colors.YELLOW, err=True)
                break
            await asyncio.sleep(LOOK_EVERY_S)
        return evaluate(truth, await api.every(path))


async def _at_work(api: Api, path: str) -> str | None:
    """What the server is still busy with; None: all that it was told is decided."""
    try:
        queue = await api.call("GET", "/admin/queue")
    except ApiBusy as error:
        # Its stores may be coming back: that is worth the wait, too.
        return f"unable to say ({error})"
    busy = [f"{queue[name]} {name}" for name in ("inbox", "queued", "running") if queue[name]]
    if busy:
        return ", ".join(busy)
    flying = await api.call("GET", path, query={"status": "in_flight", "limit": 1})
    return "shots in flight" if flying["items"] else None
