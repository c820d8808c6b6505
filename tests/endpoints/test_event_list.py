"""Reading events as they are kept, and where they belong."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from core.domain.values import EventType
from core.models.instants import instant
from core.models.said import keep_unheard
from core.postgres import Pool
from core.schema.inbox import AcceptedEvent
from core.schema.token import Role
from core.schema.types import rfc3339
from tests.endpoints.conftest import AsRole
from tests.fields import Field, put_up
from tests.resources import UNKNOWN, Json, data, failure, make
from tests.wire import EVENT


@pytest.fixture(name="field")
async def make_field(pool: Pool) -> Field:
    """A butt with one archer."""
    async with pool.acquire() as conn:
        return await put_up(conn)


async def keep(pool: Pool, *events: AcceptedEvent) -> None:
    """Keep events as a worker does."""
    async with pool.acquire() as conn:
        await keep_unheard(conn, events)


async def listed(client: AsyncClient, **query: object) -> Sequence[Json]:
    """The first page."""
    params = {name: str(value) for name, value in query.items()}
    page = data(await client.get(EVENT, params=params))
    assert page["next_cursor"] is None
    items: Sequence[Json] = page["items"]
    return items


async def test_an_event_is_shown_as_it_is_kept_with_its_place(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    request_id = uuid4()
    event = field.event("1 target", EventType.LANDED, 10, x=1.5, y=-2.0, request_id=request_id)
    await keep(pool, event)
    at = rfc3339(instant(event.ts))
    assert await listed(client) == [
        {
            "event_id": str(event.event_id),
            "reader_id": str(field.readers["1 target"]),
            "type": "arrow_landed",
            "ts": at,
            "sent_at": None,
            "received_at": rfc3339(instant(event.received_at)),
            "offset_ms": 0.0,
            "occurred_at": at,
            "arrow_id": None,
            "x": 1.5,
            "y": -2.0,
            "sigma_mm": None,
            "request_id": str(request_id),
            "place": "placed",
            "session_id": str(field.session_id),
            "target_id": str(field.targets[1]),
            "slot_id": None,
        }
    ]


async def test_an_archers_event_is_shown_with_its_slot(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    await keep(pool, field.release(10))
    (shown,) = await listed(client)
    assert (shown["slot_id"], shown["x"], shown["y"]) == (str(field.slots["1A"]), None, None)


async def test_an_event_of_a_reader_that_is_bound_to_nothing_is_shown_without_a_place(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    reader = await make(client, "reader", {"kind": "bow", "name": "a bow"})
    unbound = Field(field.session_id, field.starts_at, {}, {}, {"9A bow": UUID(reader["id"])})
    await keep(pool, unbound.release(10, "9A"))
    (shown,) = await listed(client)
    told = [shown[name] for name in ("place", "session_id", "target_id", "slot_id")]
    assert told == ["unbound", None, None, None]


async def test_an_event_before_its_reader_was_there_is_unbound(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    await keep(pool, field.release(-0.001))
    assert [shown["place"] for shown in await listed(client)] == ["unbound"]


async def test_an_event_after_the_end_of_its_session_is_shown_outside_of_it(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    end = {"end_time": rfc3339(instant(field.starts_at) + timedelta(seconds=60))}
    data(await client.patch(f"/api/v0/session/{field.session_id}", json=end))
    # The end is shown, and kept, in milliseconds.
    await keep(pool, field.release(59.998), field.release(60.002))
    shown = await listed(client)
    assert [each["place"] for each in shown] == ["placed", "outside_session"]
    assert {each["session_id"] for each in shown} == {str(field.session_id)}


async def test_an_event_before_a_session_that_begins_later_is_outside_of_it(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    start = {"start_time": rfc3339(instant(field.starts_at) + timedelta(seconds=60))}
    data(await client.patch(f"/api/v0/session/{field.session_id}", json=start))
    await keep(pool, field.release(10), field.release(70))
    assert [each["place"] for each in await listed(client)] == ["outside_session", "placed"]


async def test_events_without_a_place_are_listed_alone(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    lost, placed = field.release(-10), field.release(10)
    await keep(pool, lost, placed)
    for wish, expected in (("false", lost), ("true", placed)):
        shown = await listed(client, placed=wish)
        assert [each["event_id"] for each in shown] == [str(expected.event_id)]


async def test_events_of_one_reader_are_listed_alone(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    landing = field.landed(11)
    await keep(pool, field.release(10), landing)
    shown = await listed(client, reader_id=field.readers["1 target"])
    assert [each["event_id"] for each in shown] == [str(landing.event_id)]


async def test_events_of_one_session_are_listed_alone(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    async with pool.acquire() as conn:
        other = await put_up(conn)
    release = field.release(10)
    await keep(pool, release, other.release(10))
    shown = await listed(client, session_id=field.session_id)
    assert [each["event_id"] for each in shown] == [str(release.event_id)]


async def test_events_are_listed_by_their_time_and_id_without_gap_or_repeat(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    events = [field.release(at) for at in (3, 1, 2, 2, 2)]
    await keep(pool, *events)
    found: list[str] = []
    cursor: str | None = None
    while not found or cursor:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = data(await client.get(EVENT, params=query))
        found += [each["event_id"] for each in page["items"]]
        cursor = page["next_cursor"]
    by_time = sorted(events, key=lambda event: (event.ts, event.event_id))
    assert found == [str(event.event_id) for event in by_time]


async def test_of_one_event_kept_twice_one_is_shown(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    release = field.release(10)
    for _ in range(2):
        await keep(pool, release, release)
    assert len(await listed(client)) == 1


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"reader_id": "1A"}, "query.reader_id: must be a UUID"),
        ({"cursor": "%00"}, "query.cursor: is not a cursor that this list gave"),
        ({"limit": "0"}, "query.limit: must be greater than or equal to 1"),
    ],
)
async def test_a_wish_that_means_nothing_is_refused(
    client: AsyncClient, query: dict[str, str], error: str
) -> None:
    assert failure(await client.get(EVENT, params=query)) == (422, [error])


async def test_of_an_unknown_session_nothing_is_listed(client: AsyncClient) -> None:
    assert await listed(client, session_id=UNKNOWN) == []


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.READER, 403), (Role.GATEWAY, 403), (Role.VIEWER, 403), (Role.JUDGE, 200)],
)
async def test_what_readers_said_is_for_judges(as_role: AsRole, role: Role, status: int) -> None:
    assert (await (await as_role(role)).get(EVENT)).status_code == status


async def test_an_arrow_shot_in_time_may_land_after_the_end(
    client: AsyncClient, pool: Pool, field: Field
) -> None:
    await keep(pool, field.release(10), field.landed(10.4), field.landed(14), field.release(10.4))
    async with pool.acquire() as conn:
        end_time = instant(field.starts_at + 10_200_000)
        await conn.execute("UPDATE session SET end_time = $1", end_time)
    places = {(each["type"], each["place"]) for each in await listed(client)}
    assert places == {
        ("arrow_release", "placed"),
        ("arrow_landed", "placed"),
        ("arrow_landed", "outside_session"),
        ("arrow_release", "outside_session"),
    }
    assert len(await listed(client, placed=True)) == 2
