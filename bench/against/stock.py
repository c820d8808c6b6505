"""A worker as arq's documentation has it: a job for each event, and arq's own settings.

`python -m arq bench.against.stock.Stock` is (a), `….Quick` is (b), which asks for jobs more often.
"""

import os
from typing import Any, ClassVar

import asyncpg
from arq import Retry
from arq.connections import RedisSettings

from bench.against.rows import CHANNEL, NoReleaseYet, Said, select_places, write_event

# Beside Quiver's own jobs in the same Valkey.
DATABASE = 1
TRY_AGAIN_AFTER_S = 0.1


def redis_settings(url: str) -> RedisSettings:
    """Where the jobs are, of a Quiver's Valkey."""
    found = RedisSettings.from_dsn(url)
    found.database = DATABASE
    return found


async def handle_event(ctx: dict[str, Any], event: tuple[Any, ...]) -> None:
    """Write an event and tell viewers."""
    async with ctx["pool"].acquire() as conn:
        try:
            frame = await write_event(conn, ctx["places"], Said(*event))
        except NoReleaseYet as error:
            raise Retry(defer=TRY_AGAIN_AFTER_S) from error
    if frame is not None:
        await ctx["redis"].publish(CHANNEL, frame)


async def startup(ctx: dict[str, Any]) -> None:
    """Connect."""
    ctx["pool"] = await asyncpg.create_pool(os.environ["DATABASE_URL"])
    async with ctx["pool"].acquire() as conn:
        ctx["places"] = await select_places(conn)


async def shutdown(ctx: dict[str, Any]) -> None:
    """Disconnect."""
    await ctx["pool"].close()


class Stock:
    """(a): all by default."""

    functions: ClassVar = [handle_event]
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = redis_settings(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))


class Quick(Stock):
    """(b): it asks for jobs every ten milliseconds."""

    poll_delay = 0.01
