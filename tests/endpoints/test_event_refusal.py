"""Events that are refused, each with what is wrong with it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from core.postgres import Pool
from core.schema.token import Role
from core.schema.types import rfc3339
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.endpoints.conftest import AsRole, Opened
from tests.fields import Field, put_up
from tests.resources import UNKNOWN, Json, data, failure
from tests.serving import serving
from tests.wire import EVENT, accepted, landed, said, send, token_of, waiting

TOO_OLD = rfc3339(datetime.now(UTC) - timedelta(days=3650))
AHEAD = rfc3339(datetime.now(UTC) + timedelta(hours=1))
AS_JSON = {"Content-Type": "application/json"}
CLOCK = "is the reader's clock right?"

# What is wrong with a landing, and what is said of it.
WRONG: Mapping[str, tuple[Json, str]] = {
    "no coordinate": ({"y": None}, "y: is missing, and arrow_landed needs it"),
    "text as a coordinate": ({"x": "1"}, "x: must be a number"),
    "off the earth": ({"x": 1e6}, "x: must be less than or equal to 100000"),
    "huge coordinate": ({"x": 10**400}, "x: must be a number"),
    "negative uncertainty": ({"sigma_mm": -1}, "sigma_mm: must be greater than or equal to 0"),
    "time without zone": ({"ts": "2026-05-01T10:00:00"}, "ts: must have a time zone, such as Z"),
    "time as a number": ({"ts": 1777629600}, "ts: must be an RFC 3339 time with a zone, as text"),
    "time as a date": ({"ts": "2026-05-01"}, "ts: must be an RFC 3339 time with a zone, as text"),
    "ten years old": ({"ts": TOO_OLD}, f"ts: lies more than 30 days back; {CLOCK}"),
    "in the future": ({"ts": AHEAD}, f"ts: lies in the future; {CLOCK}"),
    "after it was sent": (
        {"sent_at": rfc3339(datetime.now(UTC) - timedelta(hours=1))},
        f"ts: lies after sent_at; {CLOCK}",
    ),
    "sent in the far future": (
        {"sent_at": rfc3339(datetime.now(UTC) + timedelta(days=31))},
        f"ts: lies more than 30 days before sent_at; {CLOCK}",
    ),
    "no time": ({"ts": None}, "ts: must be an RFC 3339 time with a zone, as text"),
    "no reader": ({"reader_id": None}, "reader_id: is missing"),
    "unknown reader": ({"reader_id": UNKNOWN}, f"reader_id: no reader {UNKNOWN}"),
    "reader as a name": ({"reader_id": "1A"}, "reader_id: must be a UUID"),
    "id as a number": ({"event_id": 5}, "event_id: must be a UUID"),
    "unknown field": ({"speed": 60}, "speed: is not a known field"),
    "tag as a number": ({"arrow_id": 7}, "arrow_id: must be a UUID"),
}


@pytest.fixture(name="field")
async def make_field(pool: Pool) -> Field:
    """A butt with one archer."""
    async with pool.acquire() as conn:
        return await put_up(conn)


async def test_what_is_wrong_with_an_event_is_said_with_its_field(
    client: AsyncClient, field: Field
) -> None:
    told = {
        name: accepted(await send(client, landed(field), landed(field) | wrong))["rejected"]
        for name, (wrong, _) in WRONG.items()
    }
    assert {name: [each["error"] for each in rejected] for name, rejected in told.items()} == {
        name: [sentence] for name, (_, sentence) in WRONG.items()
    }


# What a reader says, and what is said of it.
UNSEEN: Mapping[str, tuple[str, str, Json, str]] = {
    "a bow that lands": (
        "1A bow",
        "arrow_landed",
        {"x": 0, "y": 0},
        "type: arrow_landed comes from a reader of kind target, not bow",
    ),
    "an arrow that is released": (
        "1A arrow",
        "arrow_release",
        {},
        "type: arrow_release comes from a reader of kind bow, not arrow",
    ),
    "a butt that names an arrow": (
        "1 target",
        "arrow_identified",
        {"arrow_id": UNKNOWN},
        "type: arrow_identified comes from a reader of kind arrow, not target",
    ),
    "an arrow without a tag": (
        "1A arrow",
        "arrow_identified",
        {},
        "arrow_id: is missing, and arrow_identified needs it",
    ),
    "a release with a place": (
        "1A bow",
        "arrow_release",
        {"x": 1.0},
        "x: is not a field of arrow_release",
    ),
    "a release with an arrow": (
        "1A bow",
        "arrow_release",
        {"arrow_id": UNKNOWN},
        "arrow_id: is not a field of arrow_release",
    ),
    "an unknown type": (
        "1A bow",
        "arrow_flies",
        {},
        "type: must be 'arrow_identified', 'arrow_engage', 'arrow_release' or 'arrow_landed'",
    ),
}


async def test_a_reader_says_only_what_its_kind_can_see(client: AsyncClient, field: Field) -> None:
    told = {
        name: failure(await send(client, said(field, reader, kind) | further))
        for name, (reader, kind, further, _) in UNSEEN.items()
    }
    assert told == {
        name: (422, [f"body.events.0.{sentence}"]) for name, (_, _, _, sentence) in UNSEEN.items()
    }


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
async def test_a_coordinate_is_a_finite_number(
    client: AsyncClient, field: Field, number: bytes, valkey: Redis, settings: Settings
) -> None:
    reader = str(field.readers["1 target"]).encode()
    ts = rfc3339(datetime.now(UTC)).encode()
    content = b'{"events":[{"event_id":"%s","reader_id":"%s","type":"arrow_landed",' % (
        str(uuid4()).encode(),
        reader,
    ) + b'"ts":"%s","x":%s,"y":0}]}' % (ts, number)
    answer = await client.post(EVENT, content=content, headers=AS_JSON)
    assert failure(answer) == (422, ["body.events.0.x: must be a finite number"])
    assert await waiting(valkey, settings) == {}


async def test_when_all_are_bad_each_is_named_and_nothing_is_kept(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    answer = await send(client, landed(field, x=None), 5, landed(field, ts=TOO_OLD))
    assert failure(answer) == (
        422,
        [
            "body.events.0.x: is missing, and arrow_landed needs it",
            "body.events.1: must be a JSON object",
            f"body.events.2.ts: lies more than 30 days back; {CLOCK}",
        ],
    )
    assert await waiting(valkey, settings) == {}


BATCHES: Mapping[str, tuple[object, str]] = {
    "no events": ({}, "body.events: is missing"),
    "events as null": ({"events": None}, "body.events: must be a list"),
    "an object as events": ({"events": {}}, "body.events: must be a list"),
    "text as events": ({"events": "abc"}, "body.events: must be a list"),
    "too many": ({"events": [0] * 1001}, "body.events: must have at most 1000 items, not 1001"),
    "unknown field": ({"events": [], "from": 1}, "body.from: is not a known field"),
    "no time": (
        {"events": [], "sent_at": "now"},
        "body.sent_at: must be an RFC 3339 time with a zone, as text",
    ),
    "a list": ([], "body: must be a JSON object, sent as application/json"),
}


async def test_a_batch_that_cannot_be_read_is_refused_with_its_field(client: AsyncClient) -> None:
    told = {
        name: failure(await client.post(EVENT, json=batch)) for name, (batch, _) in BATCHES.items()
    }
    assert told == {name: (422, [sentence]) for name, (_, sentence) in BATCHES.items()}


@pytest.mark.parametrize("size", [1_048_577, 2_097_152])
async def test_more_than_a_mebibyte_is_too_large(client: AsyncClient, size: int) -> None:
    content = b'{"events":[]}'.ljust(size)
    said_of_it = (413, ["body: must have at most 1048576 bytes"])
    assert failure(await client.post(EVENT, content=content)) == said_of_it


async def test_a_mebibyte_is_accepted(client: AsyncClient) -> None:
    content = b'{"events":[]}'.ljust(1_048_576)
    assert accepted(await client.post(EVENT, content=content, headers=AS_JSON))["accepted"] == 0


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE])
async def test_who_only_looks_on_says_nothing(as_role: AsRole, field: Field, role: Role) -> None:
    answer = await send(await as_role(role), landed(field))
    assert failure(answer) == (403, [f"Authorization: the role {role} may not do this"])


async def test_nothing_is_taken_without_a_token(anonymous: AsyncClient, field: Field) -> None:
    answer = await send(anonymous, landed(field))
    assert failure(answer) == (401, ["Authorization: a bearer token is needed"])


async def test_a_readers_revoked_token_is_refused(
    client: AsyncClient, opened: Opened, pool: Pool, field: Field
) -> None:
    reader = await opened(await token_of(pool, field.readers["1 target"]))
    accepted(await send(reader, landed(field)))
    data(await client.post(f"/api/v0/reader/{field.readers['1 target']}/rotate_token"))
    answer = await send(reader, landed(field))
    assert failure(answer) == (401, ["Authorization: the token is unknown or was revoked"])


async def test_a_retired_reader_says_nothing(client: AsyncClient, field: Field) -> None:
    reader_id = field.readers["1 target"]
    data(await client.delete(f"/api/v0/reader/{reader_id}"))
    answer = await send(client, landed(field))
    assert failure(answer) == (422, [f"body.events.0.reader_id: no reader {reader_id}"])


async def test_a_reader_speaks_for_itself_alone(
    opened: Opened, pool: Pool, field: Field, valkey: Redis, settings: Settings
) -> None:
    reader = await opened(await token_of(pool, field.readers["1A bow"]))
    answer = await send(reader, landed(field))
    sentence = "reader_id: this token belongs to another reader"
    assert failure(answer) == (403, [f"body.events.0.{sentence}"])
    own = said(field, "1A bow", "arrow_release")
    taken = accepted(await send(reader, landed(field), own))
    assert [each["error"] for each in taken["rejected"]] == [sentence]
    (found,) = (await waiting(valkey, settings)).values()
    assert [each.reader_id for each in found] == [field.readers["1A bow"]]


async def test_a_full_inbox_keeps_nothing_of_a_batch(
    settings: Settings, pool: Pool, valkey: Redis
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
    small = settings.model_copy(update={"quiver_inbox_limit": 2, "quiver_partitions": 1024})
    async with (
        serving(small) as served,
        AsyncClient(
            base_url=served.url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}
        ) as http,
    ):
        first = [landed(field), landed(field)]
        accepted(await send(http, *first))
        answer = await send(http, landed(field, "2 target"), landed(field))
    assert failure(answer) == (503, ["the inbox is full: send the same batch again later"])
    assert 2 <= int(answer.headers["Retry-After"]) <= 5
    (found,) = (await waiting(valkey, small)).values()
    assert len(found) == 2 and {each.reader_id for each in found} == {
        UUID(event["reader_id"]) for event in first
    }


async def test_a_reader_that_sends_too_fast_is_told_when_to_come_again(
    opened: Opened, pool: Pool, settings: Settings
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn)
    http = await opened(await token_of(pool, field.readers["1A bow"]))
    batch = [said(field, "1A bow", "arrow_release") for _ in range(1_000)]
    answers = [await send(http, *batch) for _ in range(settings.quiver_reader_burst // 1_000 + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {202}
    last = answers[-1]
    assert last.status_code == 429
    assert 1 <= int(last.headers["Retry-After"]) <= 60
    assert last.json()["code"] == 429
    assert "more than 200 events a second" in last.json()["errors"][0]
