"""What `quiver evaluate` does."""

import asyncio
import time
from json import dumps
from pathlib import Path
from typing import NoReturn

import typer

from cli.evaluation_view import as_json, as_markdown, show_evaluation, show_result, summary
from cli.evaluation_wish import Wish
from cli.grid import missed_goals, run_grid, write_grid
from cli.trial import Trial, run_trial
from core.settings import Settings
from simulators.api import Api, ApiBusy, ApiRefused, open_api
from simulators.evaluation import Evaluation, evaluate
from simulators.truth import Truth, read_truth

LOOK_EVERY_S = 0.2


def evaluate_command(wish: Wish) -> None:
    """Do what is wished."""
    if sum((wish.truth is not None, wish.field, wish.grid)) != 1:
        _fail("give one of --truth, --field and --grid")
    if wish.truth is not None:
        _hold_against_truth(wish, wish.truth)
    else:
        _try_rules(wish)


def _trial(wish: Wish) -> Trial:
    return Trial(
        wish.distance,
        wish.noise_ms,
        wish.loss,
        wish.offset,
        wish.own_faces,
        wish.shots,
        wish.seed,
    )


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
    results = list(run_grid(wish.shots, wish.seed)) if wish.grid else [run_trial(_trial(wish))]
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
