"""Impacts that are nobody's: kept, found again, told once."""

from copy import replace
from uuid import UUID, uuid4

import pytest

from core.domain.review import Reason
from core.domain.window import ALWAYS, Span
from core.models.said import keep_unheard
from core.models.session import clear_session
from core.models.target import clear_target
from core.models.unmatched_landing import (
    UnmatchedLanding,
    delete_unmatched,
    mark_told,
    select_due,
    select_due_targets,
    select_unmatched,
    upsert_unmatched,
)
from core.postgres import Connection
from tests.fields import Field, put_up

SECOND = 1_000_000


@pytest.fixture(name="field")
async def make_field(conn: Connection) -> Field:
    """Two butts."""
    return await put_up(conn, lanes=2)


async def keep(
    conn: Connection, field: Field, at: float, lane: int = 1, request_id: UUID | None = None
) -> UnmatchedLanding:
    """An impact so many seconds after the start, kept."""
    event = replace(field.landed(at, lane, x=12.5, y=-3.0), request_id=request_id)
    await keep_unheard(conn, [event])
    landing = UnmatchedLanding(
        landing_event_id=event.event_id,
        session_id=field.session_id,
        target_id=field.targets[lane],
        landed_at=event.ts,
        x=12.5,
        y=-3.0,
        arrow_id=uuid4(),
        sigma_mm=1.5,
        reason=Reason.OUT_OF_WINDOW,
        nearest_shot_id=uuid4(),
        duplicates=(uuid4(), uuid4()),
        deadline=event.ts + 3_500_000,
    )
    await upsert_unmatched(conn, [landing])
    return landing


async def found(conn: Connection, field: Field, begin: float, end: float) -> set[UUID]:
    """The ids of what is kept of the first butt from one second to another."""
    span = Span(field.starts_at + round(begin * SECOND), field.starts_at + round(end * SECOND))
    return set(await select_unmatched(conn, {field.targets[1]: span}, []))


async def test_what_is_read_is_what_was_kept(conn: Connection, field: Field) -> None:
    landing = await keep(conn, field, 10)
    bare = replace(
        await keep(conn, field, 20),
        arrow_id=None,
        sigma_mm=None,
        reason=Reason.NO_RELEASE,
        nearest_shot_id=None,
        duplicates=(),
    )
    await delete_unmatched(conn, [bare.landing_event_id])
    await upsert_unmatched(conn, [bare])
    assert await select_unmatched(conn, {field.targets[1]: ALWAYS}, []) == {
        landing.landing_event_id: landing,
        bare.landing_event_id: bare,
    }


async def test_both_ends_of_a_span_belong_to_it(conn: Connection, field: Field) -> None:
    landing = await keep(conn, field, 10)
    assert await found(conn, field, 10, 20) == {landing.landing_event_id}
    assert await found(conn, field, 0, 10) == {landing.landing_event_id}
    assert await found(conn, field, 10.001, 20) == set()
    assert await found(conn, field, 0, 9.999) == set()


async def test_another_butts_landing_is_found_by_its_id_alone(
    conn: Connection, field: Field
) -> None:
    there = await keep(conn, field, 10, lane=2)
    assert await found(conn, field, 0, 20) == set()
    assert set(await select_unmatched(conn, {}, [there.landing_event_id])) == {
        there.landing_event_id
    }


async def test_what_is_deleted_is_gone(conn: Connection, field: Field) -> None:
    gone, stays = await keep(conn, field, 10), await keep(conn, field, 20)
    await delete_unmatched(conn, [gone.landing_event_id])
    assert await found(conn, field, 0, 30) == {stays.landing_event_id}


async def test_a_landing_is_due_from_its_deadline_on(conn: Connection, field: Field) -> None:
    landing = await keep(conn, field, 10)
    assert await select_due(conn, landing.deadline - 1) == []
    assert [due.landing for due in await select_due(conn, landing.deadline)] == [landing]
    assert await select_due_targets(conn, landing.deadline - 1) == set()
    assert await select_due_targets(conn, landing.deadline) == {field.targets[1]}


async def test_due_landings_come_in_the_order_of_their_time(conn: Connection, field: Field) -> None:
    kept = [await keep(conn, field, at) for at in (30, 10, 20)]
    due = [each.landing.landed_at for each in await select_due(conn, kept[0].deadline)]
    assert due == sorted(landing.landed_at for landing in kept)


async def test_a_due_landing_knows_the_request_that_brought_it(
    conn: Connection, field: Field
) -> None:
    request_id = uuid4()
    landing = await keep(conn, field, 10, request_id=request_id)
    assert [due.request_id for due in await select_due(conn, landing.deadline)] == [request_id]


async def test_what_was_told_is_not_due_any_more_even_when_it_is_written_anew(
    conn: Connection, field: Field
) -> None:
    landing = await keep(conn, field, 10)
    await mark_told(conn, [landing.landing_event_id])
    await upsert_unmatched(conn, [replace(landing, reason=Reason.LEFT_OVER)])
    assert await select_due(conn, landing.deadline) == []
    kept = await select_unmatched(conn, {}, [landing.landing_event_id])
    assert kept[landing.landing_event_id].reason is Reason.LEFT_OVER


async def test_a_landing_whose_reader_left_keeps_neither_its_butt_nor_its_session(
    conn: Connection, field: Field
) -> None:
    await keep(conn, field, 10)
    await keep(conn, field, 10, lane=2)
    await conn.execute("DELETE FROM reader_binding")
    await conn.execute("DELETE FROM slot")
    await clear_target(conn, field.targets[1])
    assert await found(conn, field, 0, 20) == set()
    await clear_session(conn, field.session_id)
    assert await conn.fetchval("SELECT count(*) FROM unmatched_landing") == 0
