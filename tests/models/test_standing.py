"""Reading standings, and ranking what was read."""

from core.domain.ranking import criteria
from core.models.standing import select_leaderboard
from core.postgres import Pool
from core.schema.leaderboard import leaderboard_of
from tests.butts import set_standing, set_up

OUTDOORS = criteria(is_indoor=False, round_code=None)


async def test_slots_without_a_shot_stand_there_with_zeros(pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn)
        standings = await select_leaderboard(conn, butts.session_id)
    assert [(each.lane, each.letter) for each in standings] == [
        (1, "A"),
        (1, "B"),
        (2, "A"),
        (2, "B"),
    ]
    assert {(each.tally.total, each.tally.arrows) for each in standings} == {(0, 0)}


async def test_a_slot_stands_there_with_its_sums_and_its_archer(pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn, lanes=1, letters="A")
        await set_standing(conn, butts.slot_ids[0], total=29, arrows=3, xs=1, tens=2)
        (row,) = leaderboard_of(await select_leaderboard(conn, butts.session_id), OUTDOORS)
    sums = row.model_dump(exclude={"slot_id", "archer_id"})
    assert sums == {
        "rank": 1,
        "is_tied": False,
        "lane": 1,
        "letter": "A",
        "given_name": "Ana A",
        "family_name": "Ruiz",
        "club": None,
        "country": None,
        "bowstyle": "recurve",
        "total": 29,
        "arrows": 3,
        "elevens": 0,
        "tens": 2,
        "xs": 1,
        "nines": 0,
        "sixes": 0,
        "fives": 0,
    }


async def test_equal_totals_are_parted_by_tens(pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn, lanes=1, letters="AB")
        await set_standing(conn, butts.slot_ids[0], total=20, arrows=3, tens=1)
        await set_standing(conn, butts.slot_ids[1], total=20, arrows=3, tens=2)
        rows = leaderboard_of(await select_leaderboard(conn, butts.session_id), OUTDOORS)
    assert [(row.rank, row.letter, row.is_tied) for row in rows] == [
        (1, "B", False),
        (2, "A", False),
    ]


async def test_equals_share_a_rank_and_stand_in_the_order_of_their_places(pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn, lanes=2, letters="AB")
        await set_standing(conn, butts.slot_ids[3], total=9, arrows=1)
        rows = leaderboard_of(await select_leaderboard(conn, butts.session_id), OUTDOORS)
    assert [(row.rank, row.is_tied, f"{row.lane}{row.letter}") for row in rows] == [
        (1, False, "2B"),
        (2, True, "1A"),
        (2, True, "1B"),
        (2, True, "2A"),
    ]


async def test_other_sessions_are_left_out(pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn, lanes=1, letters="A")
        await set_up(conn)
        standings = await select_leaderboard(conn, butts.session_id)
    assert [each.tally.slot_id for each in standings] == list(butts.slot_ids)
