"""What a slot's sums take in, and what shots teach."""

from copy import replace
from uuid import UUID

from core.domain.learning import Clocks, Lesson
from core.domain.values import ShotFlag
from core.domain.window import Span
from core.models.correlated_shot import voided
from core.models.lesson import select_lessons
from core.models.shot_write import write_shots
from core.postgres import Connection
from tests.fields import put_up
from tests.models.test_correlated_shot import landed

STANDING_SELECT = "SELECT total, arrows FROM standing WHERE slot_id = $1"


async def sums(conn: Connection, slot: UUID) -> tuple[int, int]:
    """A slot's points and arrows."""
    total, arrows = await conn.fetchrow(STANDING_SELECT, slot) or (0, 0)
    return total, arrows


async def test_an_arrow_out_of_every_end_does_not_count_whatever_else_was_ruled_on_it(
    conn: Connection,
) -> None:
    field = await put_up(conn)
    inside, outside = [await landed(conn, field, at) for at in (10, 20)]
    ruled = replace(outside.shot, flags=(ShotFlag.OUT_OF_END, ShotFlag.RULED))
    slot = field.slots["1A"]
    await write_shots(conn, [], [inside, replace(outside, shot=ruled)], slots=[slot])
    assert await sums(conn, slot) == (9, 1)


async def test_what_a_shot_teaches_is_kept_once(conn: Connection) -> None:
    field = await put_up(conn)
    known = await landed(conn, field, 10)
    await write_shots(conn, [], [known])
    target, at = field.targets[1], known.shot.released_at
    taught = Lesson(known.shot.id, field.slots["1A"], at, 340_000, Clocks(None, None), False, 2)
    span = {target: Span(at, at)}
    await write_shots(conn, [], [], lessons=[(target, taught)])
    assert await select_lessons(conn, span) == {target: [taught]}
    again = replace(taught, flight=None, clocks=None, is_missing=True)
    await write_shots(conn, [], [], lessons=[(target, again)])
    assert await select_lessons(conn, span) == {target: [again]}


async def test_sums_are_of_shots_as_they_are_changed_in_the_same_write(conn: Connection) -> None:
    field = await put_up(conn, letters="AB")
    mine, other = field.slots["1A"], field.slots["1B"]
    first, second = [await landed(conn, field, at) for at in (10, 20)]
    await write_shots(conn, [], [first, second], slots=[mine])
    assert await sums(conn, mine) == (18, 2)
    better = replace(first, shot=replace(first.shot, score=10, label="10"), version=2)
    await write_shots(conn, [better], [], slots=[mine])
    assert await sums(conn, mine) == (19, 2)
    moved = replace(better, shot=replace(better.shot, slot_id=other), version=3)
    gone = replace(voided(second), version=2)
    await write_shots(conn, [moved, gone], [], slots=[mine, other])
    assert (await sums(conn, mine), await sums(conn, other)) == ((0, 0), (10, 1))


async def test_sums_are_of_new_shots_and_of_changed_ones(conn: Connection) -> None:
    field = await put_up(conn)
    first, second = [await landed(conn, field, at) for at in (10, 20)]
    await write_shots(conn, [], [first])
    later = replace(first, shot=replace(first.shot, score=7, label="7"), version=2)
    taught = Lesson(
        second.shot.id, second.shot.slot_id, second.shot.released_at, 340_000, None, False, 0
    )
    lessons = [(field.targets[1], taught)]
    await write_shots(conn, [later], [second], slots=[field.slots["1A"]], lessons=lessons)
    assert await sums(conn, field.slots["1A"]) == (16, 2)
