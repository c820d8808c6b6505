"""(c): a loop by hand that keeps events as safely as Quiver does and tells of landings: no more.

It appends what waits to a stream, inserts it, publishes landings, and takes it out of the stream.
"""

import asyncio
import os
from collections.abc import Sequence

import asyncpg
from redis.asyncio import Redis

from bench.against.rows import CHANNEL, Said
from core.postgres import Connection

STREAM = "bench:floor"
AT_ONCE = 2_000
EVENT_INSERT = """
INSERT INTO event (event_id, reader_id, type, ts, received_at, offset_ms, occurred_at, x, y)
SELECT event_id, reader_id, type, ts, now(), 0, ts, x, y
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::float8[], $6::float8[])
    AS new (event_id, reader_id, type, ts, x, y)
ON CONFLICT DO NOTHING
"""


async def floor(waiting: "asyncio.Queue[Said]") -> None:
    """Do what comes, all that waits at once, for ever."""
    conn = await asyncpg.connect(os.environ["DATABASE_URL"])
    async with Redis.from_url(os.environ["REDIS_URL"]) as valkey:
        while True:
            some = [await waiting.get()]
            while len(some) < AT_ONCE and not waiting.empty():
                some.append(waiting.get_nowait())
            entries = await _append(valkey, some)
            await _insert(conn, some)
            await _publish(valkey, some, entries)


async def _append(valkey: "Redis", some: Sequence[Said]) -> list[bytes]:
    async with valkey.pipeline(transaction=False) as pipe:
        for said in some:
            pipe.xadd(STREAM, {"e": f"{said.event_id} {said.reader_id} {said.type} {said.at}"})
        found: list[bytes] = await pipe.execute()
    return found


async def _insert(conn: Connection, some: Sequence[Said]) -> None:
    await conn.execute(
        EVENT_INSERT,
        [said.event_id for said in some],
        [said.reader_id for said in some],
        [said.type for said in some],
        [said.moment for said in some],
        [said.x for said in some],
        [said.y for said in some],
    )


async def _publish(valkey: "Redis", some: Sequence[Said], entries: Sequence[bytes]) -> None:
    async with valkey.pipeline(transaction=False) as pipe:
        for said in some:
            if said.type == "arrow_landed":
                pipe.publish(CHANNEL, f'{{"landing_event_id":"{said.event_id}"}}')
        pipe.xdel(STREAM, *entries)
        await pipe.execute()
