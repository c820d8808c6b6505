"""Ranks worked out in the database are those of the rules."""

import random
from itertools import permutations
from uuid import UUID

import pytest

from core.domain.ranking import Criterion, Tally, rank
from core.models.standing_rank import note_ranks, select_new_ranks
from core.postgres import Connection
from tests.fields import put_up

TALLY_SET = """
INSERT INTO standing (
    slot_id, session_id, total, arrows, xs, elevens, tens, nines, sixes, fives, changed_at
)
SELECT $1, session_id, $2, $3, $4, $5, $6, $7, $8, $9, now() FROM slot WHERE id = $1
"""
EVERYBODY = 1_000


async def set_tally(conn: Connection, tally: Tally) -> None:
    """What a slot has shot."""
    counts = [tally.xs, tally.elevens, tally.tens, tally.nines, tally.sixes, tally.fives]
    await conn.execute(TALLY_SET, tally.slot_id, tally.total, tally.arrows, *counts)


def some_tally(rng: random.Random, slot_id: UUID) -> Tally:
    """One that has its equals."""
    return Tally(slot_id, rng.randint(-1, 2), 3, *(rng.randint(0, 1) for _ in range(6)))


@pytest.mark.parametrize("order", list(permutations(Criterion, 2)))
async def test_places_are_those_of_the_rules(
    conn: Connection, order: tuple[Criterion, Criterion]
) -> None:
    field = await put_up(conn, lanes=6, letters="ABCD")
    rng = random.Random(5)
    tallies = [some_tally(rng, slot) for slot in field.slots.values()]
    for tally in tallies:
        await set_tally(conn, tally)
    new = await select_new_ranks(conn, field.session_id, order, EVERYBODY)
    told = {each.ranked.tally.slot_id: each.ranked for each in new}
    assert told == {each.tally.slot_id: each for each in rank(tallies, order)}


async def test_however_many_tens_do_not_make_up_for_a_point(conn: Connection) -> None:
    field = await put_up(conn, lanes=1, letters="AB")
    a, b = (field.slots[place] for place in ("1A", "1B"))
    await set_tally(conn, Tally(a, -1, 900_000, 900_000, 0, 900_000, 900_000, 0, 0))
    await set_tally(conn, Tally(b, 0, 0, 0, 0, 0, 0, 0, 0))
    order = (Criterion.TENS, Criterion.NINES)
    new = await select_new_ranks(conn, field.session_id, order, EVERYBODY)
    assert {each.ranked.tally.slot_id: each.ranked.rank for each in new} == {a: 2, b: 1}


async def test_what_was_noted_is_not_new_and_whose_sums_changed_comes_first(
    conn: Connection,
) -> None:
    field = await put_up(conn, lanes=1, letters="ABC")
    order = (Criterion.TENS, Criterion.XS)
    new = await select_new_ranks(conn, field.session_id, order, EVERYBODY)
    assert len(await note_ranks(conn, new)) == 3
    assert not await select_new_ranks(conn, field.session_id, order, EVERYBODY)
    slot = field.slots["1C"]
    await conn.execute(
        "UPDATE standing SET total = 9, changed_at = clock_timestamp() WHERE slot_id = $1", slot
    )
    (first,) = await select_new_ranks(conn, field.session_id, order, 1)
    assert (first.ranked.tally.slot_id, first.ranked.rank) == (slot, 1)
    assert first.changed_at is not None
    others = await select_new_ranks(conn, field.session_id, order, EVERYBODY)
    assert {(each.ranked.rank, each.ranked.is_tied) for each in others[1:]} == {(2, True)}
    assert all(each.changed_at is None for each in others[1:])
