"""What every resource's table can do."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.models.archer import ARCHERS
from core.models.arrow import ARROWS
from core.postgres import Connection, Pool
from core.schema.archer import Archer
from core.schema.page import START, Position
from tests.butts import set_up

ANA = {"given_name": "Ana", "family_name": "Ruiz", "club": None, "country": None}
CREATED_AT = "UPDATE archer SET created_at = $2 WHERE id = $1"


async def make(conn: Connection, number: int) -> Archer:
    """An archer with this number as id."""
    return await ARCHERS.create(conn, UUID(int=number), ANA)


async def test_a_row_is_found_as_it_was_made(conn: Connection) -> None:
    made = await make(conn, 1)
    assert await ARCHERS.one(conn, made.id) == made


async def test_what_is_not_there_is_not_found(conn: Connection) -> None:
    row_id = uuid4()
    for attempt in (
        ARCHERS.one(conn, row_id),
        ARCHERS.locked(conn, row_id),
        ARCHERS.remove(conn, row_id),
    ):
        with pytest.raises(NotFoundError, match=f"archer {row_id}: not found"):
            await attempt


async def test_a_change_leaves_the_fields_that_are_left_out(conn: Connection) -> None:
    made = await make(conn, 1)
    changed = await ARCHERS.change(conn, made.id, made, {"club": "Arco"})
    assert changed == made.model_copy(update={"club": "Arco", "updated_at": changed.updated_at})


async def test_a_change_to_what_is_already_so_writes_nothing(conn: Connection) -> None:
    made = await make(conn, 1)
    await conn.execute("UPDATE archer SET updated_at = 'epoch' WHERE id = $1", made.id)
    before = await ARCHERS.one(conn, made.id)
    assert await ARCHERS.change(conn, made.id, before, ANA) == before
    assert (await ARCHERS.one(conn, made.id)).updated_at == datetime(1970, 1, 1, tzinfo=UTC)


async def test_rows_made_at_once_are_listed_by_their_ids(conn: Connection) -> None:
    for number in (3, 1, 2):
        await make(conn, number)
    listed = await ARCHERS.list(conn, START, 10)
    assert [each.id.int for each in listed] == [1, 2, 3]


async def test_a_list_goes_on_after_a_position_and_tells_of_one_more(conn: Connection) -> None:
    made = [await make(conn, number) for number in range(1, 6)]
    after = Position(made[0].created_at, made[0].id)
    listed = await ARCHERS.list(conn, after, 2)
    assert [each.id.int for each in listed] == [2, 3, 4]


async def test_the_time_of_creation_comes_before_the_id(conn: Connection) -> None:
    for number in (1, 2):
        await make(conn, number)
    await conn.execute(CREATED_AT, UUID(int=2), datetime(2026, 1, 1, tzinfo=UTC))
    assert [each.id.int for each in await ARCHERS.list(conn, START, 10)] == [2, 1]


async def test_a_reference_to_nothing_names_its_field(conn: Connection) -> None:
    values = dict.fromkeys(ARROWS.fields) | {"archer_id": uuid4(), "identifier": "AR1"}
    with pytest.raises(InvalidInputError, match="^body.archer_id: no such archer$"):
        await ARROWS.create(conn, uuid4(), values | {"shaft_diameter_mm": 5.5})


async def test_what_is_referred_to_is_not_removed(conn: Connection) -> None:
    await set_up(conn, lanes=1, letters="A")
    (archer,) = await ARCHERS.list(conn, START, 1)
    with pytest.raises(ConflictError, match="^archer: cannot be deleted: a slot refers to it$"):
        await ARCHERS.remove(conn, archer.id)


async def test_a_locked_row_may_still_be_referred_to(pool: Pool) -> None:
    """A worker that writes shots does not wait for an administrator."""
    async with pool.acquire() as conn, pool.acquire() as other:
        archer = await ARCHERS.create(conn, uuid4(), ANA)
        values = dict.fromkeys(ARROWS.fields) | {"archer_id": archer.id, "identifier": "AR1"}
        async with conn.transaction():
            await ARCHERS.locked(conn, archer.id)
            await other.execute("SET lock_timeout = '1s'")
            arrow = await ARROWS.create(other, uuid4(), values | {"shaft_diameter_mm": 5.5})
    assert arrow.archer_id == archer.id
