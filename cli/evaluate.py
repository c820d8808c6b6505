"""`quiver evaluate`: what the API says held against what really happened."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from core.settings import Settings
from simulators.api import Api, ApiBusy, ApiRefused, open_api
from simulators.evaluation import Evaluation, Verdict, evaluate
from simulators.truth import Truth, read_truth

LOOK_EVERY_S = 0.2
SHOWN_AT_MOST = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate_command)


def evaluate_command(
    truth: Annotated[Path, typer.Option(help="What `simulate` wrote")],
    url: Annotated[str | None, typer.Option(help="The API; else where it was sent to")] = None,
    token: Annotated[str | None, typer.Option(help="An admin's; else QUIVER_TOKEN")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the workers")] = 60,
    at_least: Annotated[
        float, typer.Option(min=0, max=100, help="Percent that must be right for exit status 0")
    ] = 100,
) -> None:
    """Compare what the API says with what happened, and print a table.

    Exit status 0: enough is right; 1: not enough; 2: there is nothing to compare.
    """
    settings = Settings()
    try:
        happened = read_truth(truth)
        found = asyncio.run(_evaluate(happened, url, token or settings.quiver_token, wait))
    except (ApiRefused, ValueError, OSError) as error:
        typer.secho(f"quiver evaluate: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from error
    _print(found)
    if found.percent_right < at_least:
        raise typer.Exit(1)


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


def _print(found: Evaluation) -> None:
    table = Table(title="What the API says of the shots")
    table.add_column("verdict")
    table.add_column("shots", justify="right")
    table.add_column("percent", justify="right")
    for verdict in Verdict:
        count = found.counts[verdict]
        table.add_row(verdict, str(count), f"{100 * count / max(1, found.total):.2f}")
    table.add_section()
    table.add_row("all", str(found.total), "100.00")
    console = Console()
    console.print(table)
    for release, verdict in found.wrong[:SHOWN_AT_MOST]:
        console.print(f"release {release}: {verdict}")
    if len(found.wrong) > SHOWN_AT_MOST:
        console.print(f"… and {len(found.wrong) - SHOWN_AT_MOST} more")
