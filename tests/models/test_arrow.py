"""Where readers have named an arrow."""

from datetime import timedelta
from uuid import UUID, uuid4

from core.models.arrow import Named, select_naming
from core.models.place import select_place
from core.models.reader_binding import bind_from
from core.postgres import Connection
from core.schema.reader import Whereabouts
from tests.butts import BEGIN, Butts, set_up

EVENT_INSERT = """
INSERT INTO event (event_id, reader_id, type, ts, received_at, offset_ms, occurred_at, arrow_id)
VALUES (gen_random_uuid(), $1, 'arrow_identified', $2, $2, 0, $2, $3)
"""


async def stay(conn: Connection, butts: Butts, lane: int | None, minute: float) -> None:
    """Bind the reader to a lane's target, or to nothing, from a minute on."""
    wanted = Whereabouts(target_id=None if lane is None else butts.target_ids[lane - 1])
    begin = BEGIN + timedelta(minutes=minute)
    await bind_from(conn, butts.reader_id, await select_place(conn, wanted), begin)


async def name(conn: Connection, butts: Butts, arrow_id: UUID, *minutes: float) -> None:
    """Have the reader name an arrow at these minutes."""
    for minute in minutes:
        at = BEGIN + timedelta(minutes=minute)
        await conn.execute(EVENT_INSERT, butts.reader_id, at, arrow_id)


async def test_an_arrow_was_named_at_each_place_from_the_first_to_the_last_time(
    conn: Connection,
) -> None:
    butts, arrow_id = await set_up(conn), uuid4()
    await stay(conn, butts, 1, 0)
    await stay(conn, butts, 2, 10)
    await name(conn, butts, arrow_id, 2, 9, 5, 10, 12)
    first, second = butts.target_ids
    assert await select_naming(conn, [arrow_id]) == {
        first: Named(BEGIN + timedelta(minutes=2), BEGIN + timedelta(minutes=9)),
        second: Named(BEGIN + timedelta(minutes=10), BEGIN + timedelta(minutes=12)),
    }


async def test_a_name_that_was_said_nowhere_does_not_count(conn: Connection) -> None:
    butts, arrow_id = await set_up(conn), uuid4()
    await stay(conn, butts, 1, 5)
    await stay(conn, butts, None, 10)
    await name(conn, butts, arrow_id, 4, 10)
    assert not await select_naming(conn, [arrow_id])


async def test_other_arrows_names_do_not_count(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, 1, 0)
    await name(conn, butts, uuid4(), 1)
    assert not await select_naming(conn, [uuid4()])
