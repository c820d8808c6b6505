"""Shots as correlation leaves them, written and read again."""

from copy import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from core.domain.values import Shot, ShotFlag, Status
from core.domain.window import Span
from core.models.correlated_shot import (
    StoredShot,
    lock_shots,
    select_known_shots,
    select_overdue,
    select_unscored,
    select_unsettled,
    voided,
)
from core.models.instants import FOREVER
from core.models.said import keep_unheard
from core.models.shot_write import write_shots
from core.postgres import Connection
from tests.fields import Field, put_up

SECOND = 1_000_000


@pytest.fixture(name="field")
async def make_field(conn: Connection) -> Field:
    """A butt with two archers."""
    return await put_up(conn, letters="AB")


async def in_flight(conn: Connection, field: Field, at: float, place: str = "1A") -> StoredShot:
    """A shot released so many seconds after the start, not written yet."""
    release = field.release(at, place)
    await keep_unheard(conn, [release])
    archer_id = await conn.fetchval("SELECT archer_id FROM slot WHERE id = $1", field.slots[place])
    shot = Shot(
        id=uuid4(),
        slot_id=field.slots[place],
        archer_id=UUID(str(archer_id)),
        arrow_id=None,
        release_event_id=release.event_id,
        landing_event_id=None,
        engaged_at=None,
        released_at=release.ts,
        landed_at=None,
        x=None,
        y=None,
        status=Status.IN_FLIGHT,
        deadline=release.ts + 3_500_000,
        is_settled=False,
        score=None,
        label=None,
        is_x=False,
        face_id=None,
        spot=None,
        confidence=1.0,
        flags=(),
    )
    return StoredShot(shot, field.session_id, field.targets[1], 1, 1, None)


async def landed(
    conn: Connection, field: Field, at: float, place: str = "1A", score: int | None = 9
) -> StoredShot:
    """A shot that landed half a second after its release, not written yet."""
    known = await in_flight(conn, field, at, place)
    landing = field.landed(at + 0.5, x=10.5, y=-20.0)
    await keep_unheard(conn, [landing])
    return replace(known, shot=hit(known.shot, landing.event_id, landing.ts, score))


def hit(shot: Shot, landing_id: UUID, at: int, score: int | None = 9) -> Shot:
    """The shot, landed."""
    return replace(
        shot,
        landing_event_id=landing_id,
        landed_at=at,
        x=10.5,
        y=-20.0,
        status=Status.LANDED,
        is_settled=True,
        score=score,
        label=None if score is None else str(score),
    )


async def read(conn: Connection, *shots: StoredShot) -> list[StoredShot]:
    """The same shots as they stand in the database."""
    found = await select_known_shots(conn, {}, [known.shot.id for known in shots])
    return [found[known.shot.id] for known in shots]


async def test_a_shot_is_read_as_written(conn: Connection, field: Field) -> None:
    made = await landed(conn, field, 10)
    full = replace(
        made.shot,
        engaged_at=made.shot.released_at - SECOND,
        is_x=True,
        face_id=uuid4(),
        spot=2,
        confidence=0.75,
        flags=(ShotFlag.AMBIGUOUS, ShotFlag.LINE_CALL),
    )
    written = replace(made, shot=full, end_number=4, request_id=uuid4())
    await write_shots(conn, [], [written])
    assert await read(conn, written) == [written]


async def test_a_shot_in_the_air_has_nothing_of_a_landing(conn: Connection, field: Field) -> None:
    written = await in_flight(conn, field, 10)
    await write_shots(conn, [], [written])
    assert await read(conn, written) == [written]


async def test_a_change_is_written_over_what_was_there(conn: Connection, field: Field) -> None:
    first = await in_flight(conn, field, 10)
    other = await in_flight(conn, field, 20)
    await write_shots(conn, [], [first, other])
    landing = field.landed(10.5)
    await keep_unheard(conn, [landing])
    later = replace(first, shot=hit(first.shot, landing.event_id, landing.ts), version=2)
    await write_shots(conn, [later], [])
    assert await read(conn, first, other) == [later, other]


async def test_two_shots_swap_their_landings_in_one_write(conn: Connection, field: Field) -> None:
    first, second = await landed(conn, field, 10), await landed(conn, field, 11, "1B", score=7)
    await write_shots(conn, [], [first, second])
    swapped = [
        replace(
            one,
            version=2,
            shot=replace(
                one.shot,
                landing_event_id=other.shot.landing_event_id,
                landed_at=other.shot.landed_at,
                score=other.shot.score,
                label=other.shot.label,
            ),
        )
        for one, other in ((first, second), (second, first))
    ]
    await write_shots(conn, swapped, [])
    assert await read(conn, first, second) == swapped


async def test_a_new_shot_takes_a_landing_that_another_gives_up(
    conn: Connection, field: Field
) -> None:
    first, second = await landed(conn, field, 10), await in_flight(conn, field, 10.1, "1B")
    await write_shots(conn, [], [first])
    landing_id, at = first.shot.landing_event_id, first.shot.landed_at
    assert landing_id is not None and at is not None
    given_up = replace(voided(first), version=2)
    taken = replace(second, shot=hit(second.shot, landing_id, at))
    await write_shots(conn, [given_up], [taken])
    assert await read(conn, first, second) == [given_up, taken]


async def test_one_landing_never_counts_twice(conn: Connection, field: Field) -> None:
    first, second = await landed(conn, field, 10), await in_flight(conn, field, 10.1, "1B")
    landing_id, at = first.shot.landing_event_id, first.shot.landed_at
    assert landing_id is not None and at is not None
    with pytest.raises(asyncpg.UniqueViolationError, match="shot_landing_event_id_key"):
        await write_shots(conn, [], [first, replace(second, shot=hit(second.shot, landing_id, at))])


async def test_a_voided_shot_has_nothing_left_of_what_it_was(
    conn: Connection, field: Field
) -> None:
    made = await landed(conn, field, 10)
    await write_shots(conn, [], [made])
    await write_shots(conn, [replace(voided(made), version=2)], [])
    ((shot, version),) = [(each.shot, each.version) for each in await read(conn, made)]
    assert (shot.status, shot.is_settled, version) == (Status.VOIDED, True, 2)
    told = (shot.landing_event_id, shot.landed_at, shot.x, shot.y, shot.score, shot.label)
    assert told == (None,) * 6
    kept = (shot.id, shot.release_event_id, shot.released_at)
    assert kept == (made.shot.id, made.shot.release_event_id, made.shot.released_at)


async def test_shots_are_found_by_their_release_both_ends_included(
    conn: Connection, field: Field
) -> None:
    shots = [await in_flight(conn, field, at) for at in (9.999999, 10, 20, 20.000001)]
    await write_shots(conn, [], shots)
    span = Span(field.starts_at + 10 * SECOND, field.starts_at + 20 * SECOND)
    found = await select_known_shots(conn, {field.targets[1]: span}, [])
    assert set(found) == {known.shot.id for known in shots[1:3]}


async def test_a_shot_that_is_asked_for_twice_is_found_once(conn: Connection, field: Field) -> None:
    made = await in_flight(conn, field, 10)
    await write_shots(conn, [], [made])
    span = Span(field.starts_at, field.starts_at + 20 * SECOND)
    assert await select_known_shots(conn, {field.targets[1]: span}, [made.shot.id]) == {
        made.shot.id: made
    }


async def test_shots_are_locked_in_the_order_of_their_releases(
    conn: Connection, field: Field
) -> None:
    first, second = await in_flight(conn, field, 10), await in_flight(conn, field, 20)
    await write_shots(conn, [], [second, first])
    ids = [second.shot.id, uuid4(), first.shot.id]
    assert await lock_shots(conn, ids) == [first, second]


async def test_overdue_is_what_flies_past_its_deadline(conn: Connection, field: Field) -> None:
    shots = [await in_flight(conn, field, at) for at in (10, 12, 30)]
    await write_shots(conn, [], [*shots, await landed(conn, field, 5)])
    deadline = field.starts_at + 15_500_000
    span = Span(field.starts_at + 10 * SECOND, field.starts_at + 12 * SECOND)
    assert await select_overdue(conn, deadline) == {field.targets[1]: span}
    assert await select_overdue(conn, field.starts_at + 13_499_999) == {}


async def test_unsettled_is_what_a_sign_of_life_can_decide(conn: Connection, field: Field) -> None:
    flying, over = await in_flight(conn, field, 10), await in_flight(conn, field, 12)
    gone = replace(voided(over), shot=replace(over.shot, status=Status.VOIDED))
    await write_shots(conn, [], [flying, gone, await landed(conn, field, 5)])
    targets, span = [field.targets[1]], Span(flying.shot.released_at, flying.shot.released_at)
    assert await select_unsettled(conn, targets, FOREVER) == {field.targets[1]: span}
    assert await select_unsettled(conn, targets, flying.shot.deadline - 1) == {}
    assert await select_unsettled(conn, [uuid4()], FOREVER) == {}


async def test_unscored_is_what_landed_without_a_score(conn: Connection, field: Field) -> None:
    unscored = await landed(conn, field, 10, score=None)
    await write_shots(
        conn, [], [unscored, await landed(conn, field, 12), await in_flight(conn, field, 14)]
    )
    assert await select_unscored(conn, field.targets[1]) == [unscored]
