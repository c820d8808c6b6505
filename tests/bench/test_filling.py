"""A table that is filled before its size is measured."""

from pathlib import Path

from bench.filling import EVENT_COUNT, fill, give_past
from bench.load.job import Field
from bench.stack import Stack
from core.postgres import Pool
from core.settings import Settings
from tests.fields import put_up

COUNTED = """
SELECT count(*) AS shots, count(*) FILTER (WHERE landing_event_id IS NOT NULL) AS landed,
    (SELECT count(*) FROM lesson) AS lessons
FROM shot
"""


async def test_a_table_is_filled_up_to_what_is_wished(
    settings: Settings, pool: Pool, tmp_path: Path
) -> None:
    async with pool.acquire() as conn:
        built = await put_up(conn, lanes=2, letters="ABCD")
    stack = Stack(tmp_path, settings, workers=0, servers={})
    for wished in (0, 60, 60, 90):
        await fill(stack, Field(str(built.session_id), []), wished)
        async with pool.acquire() as conn:
            assert await conn.fetchval(EVENT_COUNT) == wished
            row = await conn.fetchrow(COUNTED)
            assert row is not None
            assert set(row.values()) == {wished // 3}


PAST = """
SELECT count(*) FROM reader_binding AS binding
JOIN reader ON reader.id = binding.reader_id AND reader.kind = $1
JOIN target ON target.id = binding.target_id
LEFT JOIN slot ON slot.id = binding.slot_id
JOIN session ON session.id = target.session_id AND binding.valid_to = session.end_time
"""


async def test_readers_are_given_a_past(settings: Settings, pool: Pool, tmp_path: Path) -> None:
    async with pool.acquire() as conn:
        built = await put_up(conn, lanes=2, letters="AB")
    stack = Stack(tmp_path, settings, workers=0, servers={})
    await give_past(stack, Field(str(built.session_id), []), 3)
    async with pool.acquire() as conn:
        assert await conn.fetchval(PAST, "target") == 2 * 3
        assert await conn.fetchval(PAST, "bow") == 2 * 2 * 3
        assert await conn.fetchval("SELECT count(*) FROM reader_boot") == 2 * 3
