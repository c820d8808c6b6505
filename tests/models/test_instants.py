"""Times as the database keeps them."""

import random

import pytest

from core.models.instants import FOREVER, held, instant, microseconds, optional_held
from core.postgres import Connection

YEAR = 31_556_952_000_000
NEAR = [0, 1, -1, 999_999, 1_795_773_600_123_456, 230 * YEAR + 1, -5 * YEAR - 1]
FAR = [FOREVER, -FOREVER, 7_900 * YEAR, 8_100 * YEAR, -1_970 * YEAR, -3_000 * YEAR]
SOME = [random.Random(1).randint(0, 230 * YEAR) for _ in range(50)]


@pytest.mark.parametrize("at", [*NEAR, *FAR])
async def test_a_number_of_microseconds_is_the_same_time_there_as_here(
    conn: Connection, at: int
) -> None:
    assert await conn.fetchval("SELECT instant($1)", held(at)) == instant(at)


async def test_no_microsecond_is_lost(conn: Connection) -> None:
    kept = await conn.fetch("SELECT instant(at) AS at FROM unnest($1::bigint[]) AS at", SOME)
    assert [microseconds(row["at"]) for row in kept] == SOME


async def test_a_time_that_is_missing_is_missing_there(conn: Connection) -> None:
    assert await conn.fetchval("SELECT instant($1)", optional_held(None)) is None
    assert optional_held(5) == 5
