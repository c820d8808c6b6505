"""What a slot's sums take in."""

from dataclasses import replace

from core.domain.values import ShotFlag
from core.models.correlated_shot import write_shots
from core.models.standing_sum import refresh_standings
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
    await refresh_standings(conn, [slot])
    assert tuple(await conn.fetchrow(STANDING_SELECT, slot) or ()) == (9, 1)
