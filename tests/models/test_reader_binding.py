"""Where readers are and were."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from core.models.binding_at import select_bindings
from core.models.instants import microseconds
from core.models.known_reader import lock_readers
from core.models.place import select_place
from core.models.reader_binding import bind_from, follow_start
from core.models.reader_move import move_reader, usual_start
from core.postgres import Connection
from core.schema.reader import Whereabouts
from tests.butts import BEGIN, Butts, set_up
from tests.fields import put_up

type Stay = tuple[str, int, int | None]

HISTORY_SELECT = """
SELECT target_id, slot_id, valid_from, valid_to FROM reader_binding WHERE reader_id = $1
ORDER BY valid_from
"""
BINDING_INSERT = """
INSERT INTO reader_binding (id, reader_id, target_id, valid_from, valid_to)
VALUES (gen_random_uuid(), $1, $2, $3, $4)
"""
SESSION_END = "UPDATE session SET end_time = $2 WHERE id = $1"


def at(minutes: float) -> datetime:
    """A time so many minutes after the beginning."""
    return BEGIN + timedelta(minutes=minutes)


def minute(of: datetime) -> int | None:
    """The minute after the beginning; None: without end."""
    return None if of.year == 9999 else round((of - BEGIN) / timedelta(minutes=1))


async def stay(
    conn: Connection, butts: Butts, place: str | None, begin: float, until: float | None = None
) -> set[UUID]:
    """Bind the butts' reader to a slot, such as `1A`, a lane's target, such as `1`, or nothing."""
    places = {"1A": 0, "1B": 1, "2A": 2, "2B": 3}
    wanted = Whereabouts()
    if place is not None and place in places:
        wanted = Whereabouts(slot_id=butts.slot_ids[places[place]])
    elif place is not None:
        wanted = Whereabouts(target_id=butts.target_ids[int(place) - 1])
    found = await select_place(conn, wanted)
    touched = await bind_from(conn, butts.reader_id, found, at(begin))
    if until is not None:
        touched |= await bind_from(conn, butts.reader_id, None, at(until))
    return touched


async def history(conn: Connection, butts: Butts) -> list[Stay]:
    """The reader's places, each with its first minute and the first after it."""
    names = {target: str(lane) for lane, target in enumerate(butts.target_ids, 1)}
    names |= dict(zip(butts.slot_ids, ("1A", "1B", "2A", "2B"), strict=True))
    rows = await conn.fetch(HISTORY_SELECT, butts.reader_id)
    return [
        (
            names[row["slot_id"] or row["target_id"]],
            minute(row["valid_from"]) or 0,
            minute(row["valid_to"]),
        )
        for row in rows
    ]


async def test_what_came_before_a_move_stays(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0)
    touched = await stay(conn, butts, "2B", 10)
    assert await history(conn, butts) == [("1A", 0, 10), ("2B", 10, None)]
    assert touched == set(butts.target_ids)


async def test_a_reader_at_a_slot_is_at_the_slots_target(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "2A", 0)
    (row,) = await conn.fetch(HISTORY_SELECT, butts.reader_id)
    assert (row["slot_id"], row["target_id"]) == (butts.slot_ids[2], butts.target_ids[1])


async def test_taken_away_it_is_nowhere_from_then_on(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0)
    assert await stay(conn, butts, None, 10) == {butts.target_ids[0]}
    assert await history(conn, butts) == [("1A", 0, 10)]


async def test_from_the_past_on_history_is_written_anew(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0)
    await stay(conn, butts, "1B", 10)
    await stay(conn, butts, "2A", 20)
    touched = await stay(conn, butts, "2B", 5)
    assert await history(conn, butts) == [("1A", 0, 5), ("2B", 5, None)]
    assert touched == set(butts.target_ids)


async def test_a_place_that_began_at_that_very_time_is_gone(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0)
    await stay(conn, butts, "1B", 10)
    await stay(conn, butts, "2A", 10)
    assert await history(conn, butts) == [("1A", 0, 10), ("2A", 10, None)]


async def test_a_time_when_it_was_nowhere_is_filled(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0, until=10)
    assert await stay(conn, butts, "2A", 15) == {butts.target_ids[1]}
    assert await history(conn, butts) == [("1A", 0, 10), ("2A", 15, None)]


@pytest.mark.parametrize("begin", [5, 10])
async def test_a_place_that_it_never_really_left_goes_on(conn: Connection, begin: float) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0)
    await stay(conn, butts, "2A", 10)
    await stay(conn, butts, "1A", begin)
    assert await history(conn, butts) == [("1A", 0, None)]


async def test_the_same_target_is_not_the_same_slot(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1", 0)
    await stay(conn, butts, "1A", 10)
    assert await history(conn, butts) == [("1", 0, 10), ("1A", 10, None)]


async def test_a_reader_is_never_at_two_places(conn: Connection) -> None:
    butts = await set_up(conn)
    first, second = butts.target_ids
    await conn.execute(BINDING_INSERT, butts.reader_id, first, at(0), at(10))
    with pytest.raises(asyncpg.ExclusionViolationError):
        await conn.execute(BINDING_INSERT, butts.reader_id, second, at(9), at(20))


async def test_one_place_may_begin_as_another_ends(conn: Connection) -> None:
    butts = await set_up(conn)
    first, second = butts.target_ids
    await conn.execute(BINDING_INSERT, butts.reader_id, first, at(0), at(10))
    await conn.execute(BINDING_INSERT, butts.reader_id, second, at(10), at(20))
    assert await history(conn, butts) == [("1", 0, 10), ("2", 10, 20)]


async def usual_minute(conn: Connection, butts: Butts, now: float) -> int | None:
    """The minute from which on the reader would be at the first slot of a session begun at 0."""
    place = await select_place(conn, Whereabouts(slot_id=butts.slot_ids[0]))
    return minute(await usual_start(conn, butts.reader_id, place, at(now)))


async def test_the_first_place_is_had_from_the_start_of_its_session(conn: Connection) -> None:
    assert await usual_minute(conn, await set_up(conn), now=30) == 0


async def test_in_an_open_session_a_place_is_had_from_now_on(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "2A", 0)
    assert await usual_minute(conn, butts, now=30) == 30


async def test_after_a_session_that_is_over_a_place_is_had_from_its_end(conn: Connection) -> None:
    butts, before = await set_up(conn), await set_up(conn)
    await bind_from(
        conn,
        butts.reader_id,
        await select_place(conn, Whereabouts(slot_id=before.slot_ids[0])),
        at(-60),
    )
    await conn.execute(SESSION_END, before.session_id, at(20))
    assert await usual_minute(conn, butts, now=30) == 20


async def test_a_session_whose_end_is_to_come_is_not_over(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "2A", 0)
    await conn.execute(SESSION_END, butts.session_id, at(40))
    assert await usual_minute(conn, butts, now=30) == 30


async def test_no_place_is_had_from_before_its_session(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "2A", -60, until=-30)
    assert await usual_minute(conn, butts, now=30) == 0


async def test_taken_away_before_a_place_is_had_from_then_on(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "2A", 0, until=12)
    assert await usual_minute(conn, butts, now=30) == 12


async def test_moving_tells_every_target_that_it_was_at(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0)
    await stay(conn, butts, "2A", 10, until=20)
    wanted = Whereabouts(slot_id=butts.slot_ids[2])
    moved = await move_reader(conn, butts.reader_id, wanted, None, at(30))
    assert (moved.begin, set(moved.targets)) == (at(20), {butts.target_ids[1]})
    assert set(moved.ever) == set(butts.target_ids)


async def test_an_earlier_start_takes_a_place_along(conn: Connection) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0, until=30)
    await follow_start(conn, butts.session_id, at(0), at(-20))
    assert await history(conn, butts) == [("1A", -20, 30)]


async def test_an_earlier_start_takes_no_other_place_away(conn: Connection) -> None:
    butts, before = await set_up(conn), await set_up(conn)
    place = await select_place(conn, Whereabouts(target_id=before.target_ids[0]))
    await bind_from(conn, butts.reader_id, place, at(-60))
    await bind_from(conn, butts.reader_id, None, at(-15))
    await stay(conn, butts, "1A", 0)
    await follow_start(conn, butts.session_id, at(0), at(-20))
    rows = await conn.fetch(HISTORY_SELECT, butts.reader_id)
    spans = [(minute(row["valid_from"]), minute(row["valid_to"])) for row in rows]
    assert spans == [(-60, -15), (-15, None)]


@pytest.mark.parametrize(("begin", "start"), [(0, 20), (5, -20)])
async def test_a_later_start_and_a_later_binding_are_left_as_they_are(
    conn: Connection, begin: int, start: int
) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", begin)
    await follow_start(conn, butts.session_id, at(0), at(start))
    assert await history(conn, butts) == [("1A", begin, None)]


@pytest.mark.parametrize(
    ("since", "places"),
    [
        (-10, ["1A", "2B", "1B"]),
        (5, ["1A", "2B", "1B"]),
        # One that has ended is the place where its words still come through.
        (15, ["1A", "2B", "1B"]),
        (20, ["2B", "1B"]),
        (99, ["1B"]),
    ],
)
async def test_a_history_begins_with_the_last_place_before(
    conn: Connection, since: int, places: Sequence[str]
) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0, until=10)
    await stay(conn, butts, "2B", 20)
    await stay(conn, butts, "1B", 30)
    slots = dict(zip(butts.slot_ids, ("1A", "1B", "2A", "2B"), strict=True))
    begin = microseconds(at(since))
    known = await lock_readers(conn, [butts.reader_id], begin)
    found = await select_bindings(conn, [butts.reader_id], begin)
    assert known.bindings == found
    history_since = found.of_reader[butts.reader_id]
    assert [slots[bound.slot_id] for bound in history_since if bound.slot_id] == places
    whole = await select_bindings(conn, [butts.reader_id])
    for minutes in range(since, 120):
        moment = microseconds(at(minutes))
        assert found.place(butts.reader_id, moment) == whole.place(butts.reader_id, moment)


async def test_whoever_is_bound_to_a_target_sees_its_butt_and_those_before(
    conn: Connection,
) -> None:
    butts = await set_up(conn)
    await stay(conn, butts, "1A", 0)
    await stay(conn, butts, "1", 10)
    await stay(conn, butts, "2", 20)
    # However little of its places is wanted.
    known = await lock_readers(conn, [butts.reader_id], microseconds(at(25)))
    assert set(known.watched[butts.reader_id]) == set(butts.target_ids)


async def test_what_is_known_of_readers_has_the_same_places(conn: Connection) -> None:
    field = await put_up(conn, letters="AB")
    readers = [*field.readers.values(), uuid4()]
    known = await lock_readers(conn, readers)
    found = await select_bindings(conn, readers)
    assert {r: b for r, b in known.bindings.of_reader.items() if b} == found.of_reader
    assert not known.bindings.of_reader[readers[-1]]
