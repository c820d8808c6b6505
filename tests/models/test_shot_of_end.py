"""Shots of whole ends: how many lie before, and which are read."""

from uuid import UUID

import pytest

from core.domain.window import Span
from core.models.correlated_shot import voided
from core.models.shot_of_end import Arrows, Counted, select_from_end, select_within
from core.models.shot_write import write_shots
from core.postgres import Connection
from tests.fields import Field, put_up
from tests.models.test_correlated_shot import SECOND, in_flight


@pytest.fixture(name="field")
async def make_field(conn: Connection) -> Field:
    """A butt with two archers; A has shot at 10, 20, … 50 s, and the one at 20 s is voided."""
    field = await put_up(conn, letters="AB")
    shots = [await in_flight(conn, field, at) for at in (10, 20, 30, 40, 50)]
    shots[1] = voided(shots[1])
    await write_shots(conn, [], shots)
    return field


def seconds(field: Field, arrows: Arrows) -> list[int]:
    """When the shots were released."""
    return sorted((each.shot.released_at - field.starts_at) // SECOND for each in arrows.shots)


async def from_end(
    conn: Connection, field: Field, second: int, ends: int | None = None
) -> tuple[int, list[int]]:
    """A's arrows of ends of two, from the end that this second falls in."""
    slot: UUID = field.slots["1A"]
    counted = Counted(field.targets[1], field.starts_at + second * SECOND, 2, ends)
    arrows = (await select_from_end(conn, {slot: counted}))[slot]
    return arrows.before, seconds(field, arrows)


async def test_shots_are_read_from_the_first_of_the_end(conn: Connection, field: Field) -> None:
    assert await from_end(conn, field, 10) == (0, [10, 30, 40, 50])
    assert await from_end(conn, field, 35) == (2, [40, 50])
    assert await from_end(conn, field, 50) == (2, [40, 50])


async def test_a_new_end_has_only_what_lies_before_it(conn: Connection, field: Field) -> None:
    assert await from_end(conn, field, 60) == (4, [])


async def test_what_a_judge_voided_is_read_from_then_on(conn: Connection, field: Field) -> None:
    await conn.execute("UPDATE shot SET flags = '{ruled}' WHERE status = 'voided'")
    assert await from_end(conn, field, 10) == (0, [10, 20, 30, 40, 50])
    assert await from_end(conn, field, 21) == (0, [10, 30, 40, 50])
    assert await from_end(conn, field, 50) == (2, [40, 50])


async def test_all_that_follows_the_last_end_belongs_to_it(conn: Connection, field: Field) -> None:
    assert await from_end(conn, field, 60, ends=2) == (2, [40, 50])
    assert await from_end(conn, field, 60, ends=1) == (0, [10, 30, 40, 50])


async def test_who_has_not_shot_has_none(conn: Connection, field: Field) -> None:
    slot, since = field.slots["1B"], field.starts_at
    found = await select_from_end(conn, {slot: Counted(field.targets[1], since, 2, None)})
    assert found == {slot: Arrows(0, [])}


async def test_shots_within_a_span_are_read(conn: Connection, field: Field) -> None:
    begin = field.starts_at
    span = Span(begin + 10 * SECOND, begin + 40 * SECOND)
    found = await select_within(conn, dict.fromkeys(field.slots.values(), span))
    assert found.keys() == {field.slots["1A"]}
    assert seconds(field, Arrows(0, found[field.slots["1A"]])) == [10, 30, 40]
