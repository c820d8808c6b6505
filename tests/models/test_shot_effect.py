"""What a slot's sums take in, and what shots teach."""

from dataclasses import replace

from core.domain.learning import Clocks, Lesson
from core.domain.values import ShotFlag
from core.domain.window import Span
from core.models.correlated_shot import write_shots
from core.models.lesson import select_lessons
from core.models.shot_effect import keep_effects
from core.postgres import Connection
from tests.fields import put_up
from tests.models.test_correlated_shot import landed

STANDING_SELECT = "SELECT total, arrows FROM standing WHERE slot_id = $1"


async def test_an_arrow_out_of_every_end_does_not_count_whatever_else_was_ruled_on_it(
    conn: Connection,
) -> None:
    field = await put_up(conn)
    inside, outside = [await landed(conn, field, at) for at in (10, 20)]
    ruled = replace(outside.shot, flags=(ShotFlag.OUT_OF_END, ShotFlag.RULED))
    slot = field.slots["1A"]
    await write_shots(conn, [], [inside, replace(outside, shot=ruled)])
    await keep_effects(conn, [slot])
    assert tuple(await conn.fetchrow(STANDING_SELECT, slot) or ()) == (9, 1)


async def test_what_a_shot_teaches_is_kept_once(conn: Connection) -> None:
    field = await put_up(conn)
    known = await landed(conn, field, 10)
    await write_shots(conn, [], [known])
    target, at = field.targets[1], known.shot.released_at
    taught = Lesson(known.shot.id, field.slots["1A"], at, 340_000, Clocks(None, None), False, 2)
    span = {target: Span(at, at)}
    await keep_effects(conn, [], [(target, taught)])
    assert await select_lessons(conn, span) == {target: [taught]}
    again = replace(taught, flight=None, clocks=None, is_missing=True)
    await keep_effects(conn, [], [(target, again)])
    assert await select_lessons(conn, span) == {target: [again]}
