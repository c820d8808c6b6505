"""`quiver watch`: a viewer in the terminal."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cli.failing import told
from cli.frames import SeenShot
from cli.scoreboard_view import draw, shot_line
from cli.viewer_socket import ViewerSocket
from core.settings import Settings
from core.tasks import first_of

REDRAW_S = 0.15


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(watch_command)


def watch_command(
    session: Annotated[UUID, typer.Option(help="The session to watch")],
    url: Annotated[str | None, typer.Option(help="The API; else QUIVER_API_URL")] = None,
    token: Annotated[
        str | None, typer.Option(help="For results that are not public; else QUIVER_TOKEN")
    ] = None,
    target: Annotated[UUID | None, typer.Option(help="Only shots at this target")] = None,
) -> None:
    """Show a session's shots and leaderboard as they happen; Ctrl-C ends it."""
    settings = Settings()
    address, shown = url or settings.quiver_api_url, token or settings.quiver_token
    only = None if target is None else str(target)
    with told(), suppress(KeyboardInterrupt):
        asyncio.run(watch(address, shown, str(session), stop=asyncio.Event(), target=only))


async def watch(
    url: str,
    token: str | None,
    session: str,
    *,
    stop: asyncio.Event,
    target: str | None = None,
    console: Console | None = None,
) -> None:
    """Show a session until stopped: a table in a terminal, else a line for each news of a shot.

    Args:
        url: The API's.
        token: Sent along; None: the results are public.
        session: The session's id.
        stop: Set it to end.
        target: The only target to hear of; None: all.
        console: Where to; None: the standard output.

    Raises:
        WatchRefusedError: The server refuses, and would refuse again.
    """
    socket = ViewerSocket(url, token, session, target)
    shown = console or Console()
    if shown.is_terminal:
        await first_of(_draw(socket, shown), stop.wait())
    else:
        await first_of(_write(socket, shown), stop.wait())


async def _draw(socket: ViewerSocket, console: Console) -> None:
    def drawn() -> Table:
        width, height = console.size
        return draw(socket.board, width, height, is_connected=socket.is_connected)

    async def redraw(live: Live) -> None:
        while True:
            live.refresh()
            await asyncio.sleep(REDRAW_S)

    # Drawn by this loop and not by a thread of rich's own, which would read while frames are taken.
    with Live(get_renderable=drawn, console=console, auto_refresh=False) as live:
        await first_of(socket.follow(lambda _: None), redraw(live))


async def _write(socket: ViewerSocket, console: Console) -> None:
    def write(shots: Sequence[SeenShot]) -> None:
        for shot in shots:
            console.print(
                shot_line(socket.board, shot), markup=False, highlight=False, soft_wrap=True
            )

    await socket.follow(write)
