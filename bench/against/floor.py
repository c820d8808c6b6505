"""(c): a loop by hand that keeps events as safely as Quiver does and tells of landings: no more.

It appends what waits to a stream, inserts it, publishes landings, and takes it out of the stream.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Sequence

import asyncpg
from redis.asyncio import Redis

from bench.against.rows import CHANNEL, Said
from bench.load.tally import Tally
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


async def floor(waiting: "asyncio.Queue[Said]", tally: Tally) -> None:
    """Do what comes, all that waits at once, for ever; the tally is told how long steps take."""

    async def timed[T](step: str, work: Awaitable[T]) -> T:
        begun = time.perf_counter()
        done = await work
        tally.steps_ms.setdefault(step, []).append(1000 * (time.perf_counter() - begun))
        return done

    conn = await asyncpg.connect(os.environ["DATABASE_URL"])
    async with Redis.from_url(os.environ["REDIS_URL"]) as valkey:
        while True:
            some = [await waiting.get()]
            while len(some) < AT_ONCE and not waiting.empty():
                some.append(waiting.get_nowait())
            entries = await timed("append", _append(valkey, some))
            await timed("insert", _insert(conn, some))
            await timed("publish", _publish(valkey, some, entries))


async def _append(valkey: "Redis", some: Sequence[Said]) -> list[bytes]:
    async with valkey.pipeline(transaction=False) as pipe:
        for said in some:
            place = "" if said.x is None else f"{said.x} {said.y}"
            what = f"{said.event_id} {said.reader_id} {said.type} {said.at} {place}"
            pipe.xadd(STREAM, {"e": what})
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
