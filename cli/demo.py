"""The demo: a simulated tournament, round after round, and a viewer that shows it."""

import asyncio
import secrets
import threading
from contextlib import suppress
from copy import replace

import typer

from cli.watch import watch
from core.errors import QuiverError
from core.tasks import first_of
from simulators.api import Api, ApiRefused, open_api
from simulators.run import Run, run_tournament
from simulators.tournament import Plan

# Four butts with four archers each: an arrow every second, and a round in some five minutes.
PLAN = Plan(butts=4, archers_per_butt=4, ends=4, arrows_per_end=3, distance=70.0)
INTRODUCTION = """
A simulated tournament: {plan.butts} butts, {plan.archers_per_butt} archers at each, {plan.distance:g} m.
  shots        {url}/api/v0/session/{session}/shot
  leaderboard  {url}/api/v0/session/{session}/leaderboard
  watch it     quiver watch --session {session} --url {url}
  operate it   {url}/admin
The archers walk to the line; the first arrow flies in some twenty seconds.
"""
SEEDS = 1_000_000
LOOK_EVERY_S = 0.1
END_WITHIN_S = 0.8
# Time to see how a round ended.
BETWEEN_ROUNDS_S = 8.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0


def run_demo(url: str, token: str, stop: threading.Event) -> None:
    """Play tournaments and show them until told to stop; what goes wrong is said and tried again.

    Args:
        url: The API's, which is ready.
        token: An admin's.
        stop: Set it to end within a second.
    """
    asyncio.run(_play_until(url, token, stop))


async def _play_until(url: str, token: str, stop: threading.Event) -> None:
    stopped = asyncio.Event()
    rounds = asyncio.create_task(_rounds(Run(PLAN, url, token, stop=stopped), stopped))
    while not (stop.is_set() or rounds.done()):
        await asyncio.sleep(LOOK_EVERY_S)
    stopped.set()
    # The readers' last words and the session's end; without an API they are not waited for.
    with suppress(TimeoutError):
        await asyncio.wait_for(rounds, END_WITHIN_S)


async def _rounds(run: Run, stopped: asyncio.Event) -> None:
    pause_s = FIRST_PAUSE_S
    while not stopped.is_set():
        try:
            # A seed gives its arrows their ids too, and an arrow can be there only once.
            plan = replace(run.plan, seed=secrets.randbelow(SEEDS))
            await _round(replace(run, plan=plan), stopped)
            pause_s = FIRST_PAUSE_S
        except (ApiRefused, QuiverError) as error:
            if not stopped.is_set():
                typer.echo(f"quiver demo: {error}; trying again in {pause_s:g} s", err=True)
            await _set_within(stopped, pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _round(run: Run, stopped: asyncio.Event) -> None:
    """Play a tournament with a viewer beside it, and leave time to read the final result."""
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def play() -> None:
        truth = await run_tournament(replace(run, started=begun.set_result))
        async with open_api(run.url, run.token) as client:
            await Api(client).call("PATCH", f"/session/{truth.session_id}", {"is_opened": False})
        await _set_within(stopped, BETWEEN_ROUNDS_S)

    async def show() -> None:
        session = await begun
        typer.echo(INTRODUCTION.format(plan=run.plan, url=run.url, session=session))
        await watch(run.url, run.token, session, stop=stopped)
        # Stopped: how long the round still takes is for the players to say.
        await asyncio.get_running_loop().create_future()

    await first_of(play(), show())


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
