"""A plain arq worker: `arq tests.chaos.rival.worker.WorkerSettings`."""

import os
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from arq.connections import RedisSettings

ROW_INSERT = """
INSERT INTO rival_event (event_id, reader_id, type, ts) VALUES ($1, $2, $3, $4)
ON CONFLICT (event_id) DO NOTHING
"""
RUN_INSERT = "INSERT INTO rival_run (event_id) VALUES ($1)"


async def start_up(ctx: dict[str, Any]) -> None:
    """Open the database."""
    ctx["pool"] = await asyncpg.create_pool(os.environ["DATABASE_URL"])


async def store(ctx: dict[str, Any], event: dict[str, str]) -> None:
    """Keep an event; that it was done is noted, so that one done twice is seen."""
    async with ctx["pool"].acquire() as conn, conn.transaction():
        at = datetime.fromisoformat(event["ts"])
        event_id = UUID(event["event_id"])
        await conn.execute(ROW_INSERT, event_id, UUID(event["reader_id"]), event["type"], at)
        await conn.execute(RUN_INSERT, event_id)


class WorkerSettings:
    """Nothing but what arq needs to know."""

    functions = [store]
    on_startup = start_up
    redis_settings = RedisSettings.from_dsn(os.environ.get("REDIS_URL", "redis://127.0.0.1"))
