"""What viewers are still to be told of."""

from copy import replace

import asyncpg
import pytest

from core.models.correlated_shot import StoredShot, voided
from core.models.instants import FOREVER, microseconds
from core.models.shot_write import write_shots
from core.models.untold import Untold, count_untold, delete_untold, lock_untold
from core.postgres import Connection
from tests.fields import Field, put_up
from tests.models.test_correlated_shot import in_flight


@pytest.fixture(name="field")
async def make_field(conn: Connection) -> Field:
    """A butt with an archer."""
    return await put_up(conn)


async def written(conn: Connection, *shots: StoredShot) -> int:
    """New shots that viewers are to be told of; the row that says so."""
    untold = await write_shots(conn, [], shots, seen=[known.shot.id for known in shots])
    assert untold is not None
    return untold


async def test_what_viewers_see_is_untold_until_they_were_told(
    conn: Connection, field: Field
) -> None:
    first, second = await in_flight(conn, field, 10), await in_flight(conn, field, 20)
    one, other = await written(conn, first), await written(conn, second)
    assert await lock_untold(conn, FOREVER, 10) == [
        Untold(one, [first.shot.id]),
        Untold(other, [second.shot.id]),
    ]
    assert [each.id for each in await lock_untold(conn, FOREVER, 1)] == [one]
    await delete_untold(conn, [one])
    assert await count_untold(conn, FOREVER) == 1


async def test_a_change_is_untold_again(conn: Connection, field: Field) -> None:
    made = await in_flight(conn, field, 10)
    await delete_untold(conn, [await written(conn, made)])
    changed = replace(voided(made), version=2)
    assert await write_shots(conn, [changed], [], seen=[made.shot.id]) is not None
    assert await count_untold(conn, FOREVER) == 1


async def test_what_nobody_sees_is_not_untold(conn: Connection, field: Field) -> None:
    made = await in_flight(conn, field, 10)
    assert await write_shots(conn, [], [made]) is None
    assert await write_shots(conn, [made], []) is None
    assert await write_shots(conn, [], []) is None
    assert await count_untold(conn, FOREVER) == 0


async def test_what_is_seen_of_old_and_new_shots_is_one_row(conn: Connection, field: Field) -> None:
    old, new = await in_flight(conn, field, 10), await in_flight(conn, field, 20)
    await delete_untold(conn, [await written(conn, old)])
    seen = [old.shot.id, new.shot.id]
    row = await write_shots(conn, [replace(voided(old), version=2)], [new], seen=seen)
    assert [(each.id, each.shot_ids) for each in await lock_untold(conn, FOREVER, 10)] == [
        (row, seen)
    ]


async def test_what_was_just_written_is_left_to_its_writer(conn: Connection, field: Field) -> None:
    await written(conn, await in_flight(conn, field, 10))
    at = microseconds(await conn.fetchval("SELECT written_at FROM untold"))
    assert (await count_untold(conn, at), await lock_untold(conn, at, 10)) == (0, [])
    assert (await count_untold(conn, at + 1), len(await lock_untold(conn, at + 1, 10))) == (1, 1)


async def test_a_row_that_names_nothing_is_refused(conn: Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute("INSERT INTO untold (shot_ids) VALUES ('{}')")
