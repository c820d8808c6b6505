"""Keeping events, and finding those of a target."""

from copy import replace
from uuid import UUID, uuid4

import pytest

from core.domain.values import EventType
from core.domain.window import ALWAYS, Reading, Span
from core.models.event import select_events, select_events_of_targets
from core.models.instants import instant
from core.models.place import Place
from core.models.reader_binding import bind_from
from core.models.said import keep_unheard
from core.postgres import Connection
from core.schema.inbox import AcceptedEvent
from core.schema.page import START
from tests.fields import Field, put_up

SECOND = 1_000_000


@pytest.fixture(name="field")
async def make_field(conn: Connection) -> Field:
    """Two butts with two archers each."""
    return await put_up(conn, lanes=2, letters="AB")


async def bind(conn: Connection, field: Field, reader: str, lane: int | None, at: float) -> None:
    """Have a target reader at another butt, or at none, so many seconds after the start."""
    begin = instant(field.starts_at + round(at * SECOND))
    place = None if lane is None else Place(None, field.targets[lane], begin)
    await bind_from(conn, field.readers[reader], place, begin)


def whole(span: Span) -> Reading:
    """All of a span, its landings, too."""
    return Reading(span, span.begin)


async def found(conn: Connection, field: Field, lane: int = 1, span: Span = ALWAYS) -> set[UUID]:
    """The ids of a butt's events."""
    events = await select_events_of_targets(conn, {field.targets[lane]: whole(span)})
    return {event.id for event in events[field.targets[lane]]}


async def keep(conn: Connection, *events: AcceptedEvent) -> list[UUID]:
    """Keep events; the ids of those that are new."""
    return [event.event_id for event in (await keep_unheard(conn, events)).new]


async def test_new_events_are_told_in_the_order_of_their_ids(
    conn: Connection, field: Field
) -> None:
    events = [field.release(at) for at in (3, 1, 2)]
    assert await keep(conn, *events) == sorted(event.event_id for event in events)


async def test_an_event_that_is_kept_already_changes_nothing(
    conn: Connection, field: Field
) -> None:
    first = field.landed(10, x=1.0)
    again = replace(first, x=99.0, ts=first.ts + SECOND)
    new = field.landed(20)
    await keep(conn, first)
    assert await keep(conn, again, new) == [new.event_id]
    stored = await select_events(conn, START, 10)
    assert [(event.event_id, event.x) for event in stored] == [
        (first.event_id, 1.0),
        (new.event_id, 0.0),
    ]


async def test_of_an_event_that_comes_twice_at_once_the_first_counts(
    conn: Connection, field: Field
) -> None:
    first = field.landed(10, x=1.0)
    assert await keep(conn, first, replace(first, x=99.0)) == [first.event_id]
    (stored,) = await select_events(conn, START, 10)
    assert stored.x == 1.0


async def test_an_event_is_found_as_it_was_said(conn: Connection, field: Field) -> None:
    tag = uuid4()
    landing = replace(field.landed(10, x=1.5, y=-2.5), arrow_id=tag, sigma_mm=0.5)
    await keep(conn, landing)
    events = await select_events_of_targets(conn, {field.targets[1]: whole(ALWAYS)})
    (event,) = events[field.targets[1]]
    assert (event.id, event.type, event.at) == (landing.event_id, EventType.LANDED, landing.ts)
    assert (event.x, event.y, event.sigma_mm, event.arrow_id) == (1.5, -2.5, 0.5, tag)
    assert (event.received_at, event.slot_id) == (landing.received_at, None)


async def test_an_archers_event_is_found_with_their_slot(conn: Connection, field: Field) -> None:
    await keep(conn, field.release(10, "1B"))
    events = await select_events_of_targets(conn, {field.targets[1]: whole(ALWAYS)})
    assert [event.slot_id for event in events[field.targets[1]]] == [field.slots["1B"]]


async def test_each_target_has_its_own_events(conn: Connection, field: Field) -> None:
    first, second = field.release(10, "1A"), field.release(11, "2A")
    await keep(conn, first, second)
    spans = {target: whole(ALWAYS) for target in field.targets.values()}
    events = await select_events_of_targets(conn, spans)
    told = {target: [event.id for event in of] for target, of in events.items()}
    assert told == {field.targets[1]: [first.event_id], field.targets[2]: [second.event_id]}


async def test_a_target_without_events_has_none(conn: Connection, field: Field) -> None:
    assert await select_events_of_targets(conn, {field.targets[1]: whole(ALWAYS)}) == {
        field.targets[1]: []
    }


async def test_landings_are_left_out_until_they_matter(conn: Connection, field: Field) -> None:
    said = [field.release(10), field.landed(10.4), field.release(20), field.landed(20.4)]
    await keep(conn, *said)
    at = field.starts_at + 15 * SECOND
    events = await select_events_of_targets(conn, {field.targets[1]: Reading(ALWAYS, at)})
    assert {e.id for e in events[field.targets[1]]} == {
        said[0].event_id,
        said[2].event_id,
        said[3].event_id,
    }


async def test_both_ends_of_a_span_belong_to_it(conn: Connection, field: Field) -> None:
    events = [field.release(at) for at in (9.999999, 10, 15, 20, 20.000001)]
    await keep(conn, *events)
    span = Span(field.starts_at + 10 * SECOND, field.starts_at + 20 * SECOND)
    assert await found(conn, field, span=span) == {event.event_id for event in events[1:4]}


async def test_what_a_reader_said_before_it_moved_stays_at_its_place(
    conn: Connection, field: Field
) -> None:
    before, moved, after = (field.landed(at) for at in (9.999999, 10, 11))
    await keep(conn, before, moved, after)
    await bind(conn, field, "1 target", 2, 10)
    assert await found(conn, field, 1) == {before.event_id}
    assert await found(conn, field, 2) == {moved.event_id, after.event_id}


async def test_what_a_reader_said_while_it_was_nowhere_is_found_nowhere(
    conn: Connection, field: Field
) -> None:
    await bind(conn, field, "1 target", None, 10)
    await bind(conn, field, "1 target", 1, 20)
    events = [field.landed(at) for at in (9, 10, 19.999999, 20)]
    await keep(conn, *events)
    assert await found(conn, field) == {events[0].event_id, events[3].event_id}


async def test_binding_it_afterwards_makes_it_found(conn: Connection, field: Field) -> None:
    await bind(conn, field, "1 target", None, 10)
    landing = field.landed(15)
    await keep(conn, landing)
    assert await found(conn, field) == set()
    await bind(conn, field, "1 target", 1, 12)
    assert await found(conn, field) == {landing.event_id}


async def test_before_its_first_place_a_reader_is_found_nowhere(
    conn: Connection, field: Field
) -> None:
    await keep(conn, field.landed(-0.000001))
    assert await found(conn, field) == set()
    (stored,) = await select_events(conn, START, 10)
    assert (stored.place, stored.target_id) == ("unbound", None)


async def test_a_page_has_one_more_than_was_asked_for(conn: Connection, field: Field) -> None:
    await keep(conn, *(field.release(at) for at in range(5)))
    assert len(await select_events(conn, START, 3)) == 4
