"""Signs of life over HTTP, and what lies in the inbox then."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from core.inbox import partition_key
from core.models.instants import microseconds
from core.postgres import Pool
from core.schema.inbox import AcceptedBeat
from core.schema.token import Role
from core.schema.types import rfc3339
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.endpoints.conftest import AsRole, Opened
from tests.fields import Field, put_up
from tests.resources import UNKNOWN, Json, data, failure
from tests.serving import serving
from tests.wire import HEARTBEAT, token_of, waiting


@pytest.fixture(name="field")
async def make_field(pool: Pool) -> Field:
    """Two butts with one archer each."""
    async with pool.acquire() as conn:
        return await put_up(conn, lanes=2)


def beat(field: Field, reader: str = "1 target", **further: object) -> Json:
    """A reader lives."""
    return {"reader_id": str(field.readers[reader])} | further


async def test_a_sign_of_life_lies_in_the_inbox_as_it_was_said(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    at = datetime.now(UTC).replace(microsecond=5_000)
    wish = beat(
        field,
        started_at=rfc3339(at - timedelta(hours=1)),
        buffered=3,
        battery_pct=87.5,
        firmware="1.2",
    )
    answer = await client.post(HEARTBEAT, json={"sent_at": rfc3339(at), "readers": [wish]})
    assert data(answer) == {"accepted": 1}
    found = await waiting(valkey, settings)
    assert list(found) == [partition_key(field.targets[1]) % settings.quiver_partitions]
    ((heard,),) = found.values()
    assert heard == AcceptedBeat(
        reader_id=field.readers["1 target"],
        received_at=heard.received_at,
        sent_at=microseconds(at),
        started_at=microseconds(at) - 3_600_000_000,
        buffered=3,
        battery_pct=87.5,
        firmware="1.2",
        request_id=heard.request_id,
        by_gateway=True,
    )
    assert abs(heard.received_at - microseconds(datetime.now(UTC))) < 60_000_000
    assert str(heard.request_id) == answer.headers["X-Request-ID"]


async def test_a_reader_that_says_nothing_more_lives_all_the_same(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    assert data(await client.post(HEARTBEAT, json={"readers": [beat(field)]})) == {"accepted": 1}
    ((heard,),) = (await waiting(valkey, settings)).values()
    assert isinstance(heard, AcceptedBeat)
    told = (heard.sent_at, heard.started_at, heard.buffered, heard.battery_pct, heard.firmware)
    assert told == (None, None, None, None, None)


async def test_a_gateway_says_who_lives_of_all_its_readers(
    field: Field, as_role: AsRole, valkey: Redis, settings: Settings
) -> None:
    gateway = await as_role(Role.GATEWAY)
    readers = [beat(field, name) for name in field.readers]
    assert data(await gateway.post(HEARTBEAT, json={"readers": readers})) == {"accepted": 6}
    found = [each for entries in (await waiting(valkey, settings)).values() for each in entries]
    assert {each.reader_id for each in found} == set(field.readers.values())


async def test_a_readers_own_token_says_who_lives(
    field: Field, opened: Opened, pool: Pool, valkey: Redis, settings: Settings
) -> None:
    reader = await opened(await token_of(pool, field.readers["1A bow"]))
    assert data(await reader.post(HEARTBEAT, json={"readers": [{}]})) == {"accepted": 1}
    ((heard,),) = (await waiting(valkey, settings)).values()
    assert (heard.reader_id, heard.by_gateway) == (field.readers["1A bow"], False)


async def test_a_reader_speaks_for_itself_alone(
    field: Field, opened: Opened, pool: Pool, valkey: Redis, settings: Settings
) -> None:
    reader = await opened(await token_of(pool, field.readers["1A bow"]))
    wish = {"readers": [beat(field, "1A bow"), beat(field)]}
    sentence = "body.readers.1.reader_id: this token belongs to another reader"
    assert failure(await reader.post(HEARTBEAT, json=wish)) == (403, [sentence])
    assert await waiting(valkey, settings) == {}


WRONG: Mapping[str, tuple[Json, str]] = {
    "no reader": ({"reader_id": None}, "reader_id: is missing"),
    "unknown reader": ({"reader_id": UNKNOWN}, f"reader_id: no reader {UNKNOWN}"),
    "reader as a name": ({"reader_id": "1A"}, "reader_id: must be a UUID"),
    "less than nothing": ({"buffered": -1}, "buffered: must be greater than or equal to 0"),
    "half an event": ({"buffered": 0.5}, "buffered: must be a whole number"),
    "beyond any count": (
        {"buffered": 10**12},
        "buffered: must be less than or equal to 2000000000",
    ),
    "more than full": ({"battery_pct": 101}, "battery_pct: must be less than or equal to 100"),
    "firmware as a number": ({"firmware": 1.2}, "firmware: must be text"),
    "a NUL": ({"firmware": "1\x00"}, "firmware: must not hold a NUL or half of a surrogate pair"),
    "no zone": (
        {"started_at": "2026-05-01T10:00:00"},
        "started_at: must have a time zone, such as Z",
    ),
    "unknown field": ({"mood": "good"}, "mood: is not a known field"),
}


async def test_what_is_wrong_is_said_with_its_field_and_nothing_is_kept(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    told = {
        name: failure(
            await client.post(HEARTBEAT, json={"readers": [beat(field), beat(field) | wrong]})
        )
        for name, (wrong, _) in WRONG.items()
    }
    assert told == {n: (422, [f"body.readers.1.{said}"]) for n, (_, said) in WRONG.items()}
    assert await waiting(valkey, settings) == {}


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({}, "body.readers: is missing"),
        ({"readers": []}, "body.readers: must have at least 1 item, not 0"),
        ({"readers": "all"}, "body.readers: must be a list"),
        ({"readers": [5]}, "body.readers.0: must be a JSON object"),
        (
            {"readers": [{}], "sent_at": 5},
            "body.sent_at: must be an RFC 3339 time with a zone, as text",
        ),
    ],
)
async def test_what_is_no_heartbeat_is_refused(client: AsyncClient, wish: Json, error: str) -> None:
    assert failure(await client.post(HEARTBEAT, json=wish)) == (422, [error])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE])
async def test_who_only_looks_on_sends_none(as_role: AsRole, field: Field, role: Role) -> None:
    answer = await (await as_role(role)).post(HEARTBEAT, json={"readers": [beat(field)]})
    assert failure(answer) == (403, [f"Authorization: the role {role} may not do this"])


async def test_none_is_taken_without_a_token(anonymous: AsyncClient, field: Field) -> None:
    answer = await anonymous.post(HEARTBEAT, json={"readers": [beat(field)]})
    assert failure(answer) == (401, ["Authorization: a bearer token is needed"])
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_retired_reader_does_not_live(client: AsyncClient, field: Field) -> None:
    reader_id = field.readers["1A bow"]
    data(await client.delete(f"/api/v0/reader/{reader_id}"))
    answer = await client.post(HEARTBEAT, json={"readers": [beat(field, "1A bow")]})
    assert failure(answer) == (422, [f"body.readers.0.reader_id: no reader {reader_id}"])


async def test_a_full_inbox_keeps_no_heartbeat(
    settings: Settings, field: Field, valkey: Redis
) -> None:
    small = settings.model_copy(update={"quiver_inbox_limit": 1})
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        serving(small) as served,
        AsyncClient(base_url=served.url, headers=headers) as http,
    ):
        answer = await http.post(HEARTBEAT, json={"readers": [beat(field), beat(field, "1A bow")]})
    assert failure(answer)[0] == 503
    assert 2 <= int(answer.headers["Retry-After"]) <= 5
    assert await waiting(valkey, settings) == {}
