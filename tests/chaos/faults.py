"""What is done to a running Quiver. Each ends when everything that was broken is whole again."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from tests.chaos.load import Load
from tests.chaos.whole import Whole

STOPPED_FOR_S = 20.0
CUT_FOR_S = 6.0
CUT_EVERY_S = 0.3
FULL_WITHIN_S = 20.0

type Fault = Callable[[Whole, Load], Awaitable[None]]


async def kill(name: str, whole: Whole, _: Load) -> None:
    """A process is gone at once."""
    whole.send(name, signal.SIGKILL)


async def kill_both_workers(whole: Whole, _: Load) -> None:
    """Two workers are gone at once, and start at once."""
    for name in ("worker-1", "worker-2"):
        whole.send(name, signal.SIGKILL)


async def break_store(name: str, signum: signal.Signals, whole: Whole, _: Load) -> None:
    """A store goes, and comes again."""
    whole.kill_store(name, signum)


async def cut_lines(whole: Whole, _: Load) -> None:
    """Every connection to the stores is cut, again and again."""
    for _round in range(round(CUT_FOR_S / CUT_EVERY_S)):
        for tap in whole.taps.values():
            tap.cut()
        await asyncio.sleep(CUT_EVERY_S)


async def stop_worker(seconds: float, whole: Whole, _: Load) -> None:
    """A worker stands still for a while, and goes on as if nothing had been."""
    whole.send("worker-1", signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        whole.send("worker-1", signal.SIGCONT)


async def fill_inbox(whole: Whole, load: Load) -> None:
    """Nobody takes anything out of the inbox until it is full."""
    before = load.refusals
    for name in ("worker-1", "worker-2"):
        whole.send(name, signal.SIGSTOP)
    try:
        async with asyncio.timeout(FULL_WITHIN_S):
            while load.refusals == before:
                await asyncio.sleep(0.05)
    finally:
        for name in ("worker-1", "worker-2"):
            whole.send(name, signal.SIGCONT)


SINGLE: Mapping[str, Fault] = {
    "a worker is killed": partial(kill, "worker-1"),
    "both workers are killed and start at once": kill_both_workers,
    "the API is killed": partial(kill, "api"),
    "Valkey is restarted": partial(break_store, "valkey", signal.SIGTERM),
    "Valkey is killed": partial(break_store, "valkey", signal.SIGKILL),
    "PostgreSQL is restarted at once": partial(break_store, "postgres", signal.SIGQUIT),
    "all lines are cut every 0.3 s": cut_lines,
    "a worker stands still for 20 s": partial(stop_worker, STOPPED_FOR_S),
}

# Those of which one comes after the other in the rounds: none of them takes long.
QUICK: Mapping[str, Fault] = {
    **SINGLE,
    "a worker stands still for 20 s": partial(stop_worker, 3.0),
}
