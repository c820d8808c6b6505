"""A worker as arq's documentation has it: a job for each event, and arq's own settings.

`python -m arq bench.against.stock.Stock` is (a), `….Quick` is (b), which asks for jobs more often.
"""

import asyncio
import os
from typing import Any, ClassVar
from urllib.parse import unquote

import asyncpg
from arq import ArqRedis, Retry, create_pool
from arq.connections import RedisSettings

from bench.against.rows import CHANNEL, NoReleaseYet, Said, select_places, write_event

# Beside Quiver's own jobs in the same Valkey.
DATABASE = 1
TRY_AGAIN_AFTER_S = 0.1
# How many workers have started.
READY = "bench:ready"
READY_WITHIN_S, LOOK_EVERY_S = 30.0, 0.05


def redis_settings(url: str) -> RedisSettings:
    """Where the jobs are, of a Quiver's Valkey."""
    found = RedisSettings.from_dsn(url)
    found.database = DATABASE
    if found.unix_socket_path is not None:
        # arq takes it as it stands in the URL.
        found.unix_socket_path = unquote(found.unix_socket_path)
    return found


async def forget(url: str) -> None:
    """Leave no job of whoever was measured before, and nobody ready."""
    pool = await create_pool(redis_settings(url))
    try:
        await pool.flushdb()
    finally:
        await pool.aclose()


async def ready_pool(url: str, workers: int) -> ArqRedis:
    """Where jobs are enqueued, as soon as so many workers wait for them.

    Raises:
        TimeoutError: They do not come up.
    """
    pool = await create_pool(redis_settings(url))
    async with asyncio.timeout(READY_WITHIN_S):
        while int(await pool.get(READY) or 0) < workers:
            await asyncio.sleep(LOOK_EVERY_S)
    return pool


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
    """Connect, and say so."""
    ctx["pool"] = await asyncpg.create_pool(os.environ["DATABASE_URL"])
    async with ctx["pool"].acquire() as conn:
        ctx["places"] = await select_places(conn)
    await ctx["redis"].incr(READY)


async def shutdown(ctx: dict[str, Any]) -> None:
    """Disconnect."""
    await ctx["pool"].close()


class Stock:
    """(a): all by default."""

    functions: ClassVar = [handle_event]
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = redis_settings(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))


class Quick:
    """(b): it asks for jobs every ten milliseconds.

    arq looks at what a class itself has, not at what it inherits.
    """

    functions = Stock.functions
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = Stock.redis_settings
    poll_delay = 0.01
