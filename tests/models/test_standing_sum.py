"""What a slot's sums take in."""

from dataclasses import replace

from core.domain.values import ShotFlag
from core.models.correlated_shot import write_shots
from core.models.standing_sum import refresh_standings
from core.postgres import Connection
from tests.fields import put_up
from tests.models.test_correlated_shot import landed

STANDING_SELECT = "SELECT total, arrows FROM standing WHERE slot_id = $1"


async def test_an_arrow_out_of_every_end_counts_once_a_judge_ruled_on_it(conn: Connection) -> None:
    field = await put_up(conn)
    inside, outside = [await landed(conn, field, at) for at in (10, 20)]
    out_of_end = replace(outside.shot, flags=(ShotFlag.OUT_OF_END,))
    ruled = replace(out_of_end, flags=(ShotFlag.OUT_OF_END, ShotFlag.RULED))
    slot = field.slots["1A"]
    await write_shots(conn, [], [inside, replace(outside, shot=out_of_end)])
    await refresh_standings(conn, [slot])
    assert tuple(await conn.fetchrow(STANDING_SELECT, slot) or ()) == (9, 1)
    await write_shots(conn, [replace(outside, shot=ruled, version=2)], [])
    await refresh_standings(conn, [slot])
    assert tuple(await conn.fetchrow(STANDING_SELECT, slot) or ()) == (18, 2)
