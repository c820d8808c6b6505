"""Events in: what is accepted, and what lies in the inbox then."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from core.domain.values import EventType
from core.gate import WOKEN
from core.inbox import partition_key
from core.models.instants import microseconds
from core.postgres import Pool
from core.schema.inbox import AcceptedEvent, decode
from core.schema.token import Role
from core.schema.types import rfc3339
from core.settings import Settings
from tests.endpoints.conftest import AsRole, Opened
from tests.fields import Field, put_up
from tests.resources import make
from tests.wire import EVENT, accepted, at_now, inbox_of, landed, said, send, token_of, waiting


@pytest.fixture(name="field")
async def make_field(pool: Pool) -> Field:
    """A butt with one archer."""
    async with pool.acquire() as conn:
        return await put_up(conn)


async def only_event(valkey: Redis, settings: Settings) -> AcceptedEvent:
    """The one event in the inbox."""
    ((event,),) = (await waiting(valkey, settings)).values()
    assert isinstance(event, AcceptedEvent)
    return event


async def test_an_accepted_event_lies_in_the_inbox_as_it_was_said(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    request_id, before = uuid4(), microseconds(datetime.now(UTC))
    at = datetime.now(UTC).replace(microsecond=120_000)
    wish = landed(field, ts=rfc3339(at), x=-12.5, y=3, sigma_mm=0.5, arrow_id=str(uuid4()))
    client.headers["X-Request-ID"] = str(request_id)
    answer = await send(client, wish, sent_at=rfc3339(at + timedelta(seconds=1)))
    assert accepted(answer) == {"accepted": 1, "rejected": []}
    event = await only_event(valkey, settings)
    assert before <= event.received_at <= microseconds(datetime.now(UTC))
    assert event == AcceptedEvent(
        event_id=UUID(wish["event_id"]),
        reader_id=field.readers["1 target"],
        type=EventType.LANDED,
        ts=microseconds(at),
        sent_at=microseconds(at) + 1_000_000,
        received_at=event.received_at,
        arrow_id=UUID(wish["arrow_id"]),
        x=-12.5,
        y=3.0,
        sigma_mm=0.5,
        request_id=request_id,
        by_gateway=True,
    )


async def test_whose_clock_a_batch_left_by_is_known(
    client: AsyncClient, field: Field, opened: Opened, pool: Pool, valkey: Redis, settings: Settings
) -> None:
    reader = await opened(await token_of(pool, field.readers["1 target"]))
    await send(client, landed(field), sent_at=at_now())
    await send(client, landed(field, sent_at=at_now()), sent_at=at_now())
    await send(client, landed(field))
    await send(reader, landed(field), sent_at=at_now())
    (events,) = (await waiting(valkey, settings)).values()
    assert [(each.by_gateway, each.sent_at is not None) for each in events] == [
        (True, True),
        (False, True),
        (False, False),
        (False, True),
    ]


async def test_a_reader_whose_clock_stands_at_its_beginning_is_heard(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    event = landed(field, ts="1970-01-01T00:01:00Z")
    assert accepted(await send(client, event, sent_at="1970-01-01T00:01:05Z"))["accepted"] == 1
    event = landed(field, ts="1970-01-01T00:01:00Z", sent_at="1970-01-01T00:01:05Z")
    assert accepted(await send(client, event, sent_at=at_now()))["accepted"] == 1
    (events,) = (await waiting(valkey, settings)).values()
    told = [each.ts for each in events if isinstance(each, AcceptedEvent)]
    assert told == [60_000_000, 60_000_000]


async def test_a_reader_whose_clock_is_a_year_ahead_is_heard(
    client: AsyncClient, field: Field
) -> None:
    ahead = rfc3339(datetime.now(UTC) + timedelta(days=365))
    assert accepted(await send(client, landed(field, ts=ahead), sent_at=ahead))["accepted"] == 1


async def test_all_readers_of_a_butt_fill_the_partition_of_their_target(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    events = [
        said(field, "1A arrow", "arrow_identified", arrow_id=str(uuid4())),
        said(field, "1A bow", "arrow_engage"),
        said(field, "1A bow", "arrow_release"),
        landed(field),
    ]
    assert accepted(await send(client, *events)) == {"accepted": 4, "rejected": []}
    partition = partition_key(field.targets[1]) % settings.quiver_partitions
    found = await waiting(valkey, settings)
    assert list(found) == [partition]
    ids = [each.event_id for each in found[partition] if isinstance(each, AcceptedEvent)]
    assert ids == [UUID(event["event_id"]) for event in events]


async def test_a_reader_that_is_bound_to_nothing_has_a_partition_of_its_own(
    client: AsyncClient, valkey: Redis, settings: Settings
) -> None:
    reader = await make(client, "reader", {"kind": "bow", "name": "a bow"})
    event = {"event_id": str(uuid4()), "reader_id": reader["id"], "type": "arrow_release"}
    assert accepted(await send(client, event | {"ts": at_now()})) == {"accepted": 1, "rejected": []}
    partition = partition_key(UUID(reader["id"])) % settings.quiver_partitions
    assert list(await waiting(valkey, settings)) == [partition]


async def test_a_gateway_says_when_each_event_left_its_reader(
    field: Field, as_role: AsRole, valkey: Redis, settings: Settings
) -> None:
    gateway, at = await as_role(Role.GATEWAY), datetime.now(UTC).replace(microsecond=0)
    wish = landed(field, sent_at=rfc3339(at))
    accepted(await send(gateway, wish, sent_at=rfc3339(at + timedelta(seconds=5))))
    assert (await only_event(valkey, settings)).sent_at == microseconds(at)


async def test_a_readers_own_token_says_who_speaks(
    field: Field, opened: Opened, pool: Pool, valkey: Redis, settings: Settings
) -> None:
    reader = await opened(await token_of(pool, field.readers["1A bow"]))
    wish = said(field, "1A bow", "arrow_release")
    del wish["reader_id"]
    accepted(await send(reader, wish))
    assert (await only_event(valkey, settings)).reader_id == field.readers["1A bow"]


async def test_a_bad_event_is_named_and_does_not_hold_up_the_others(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    good, bad, nonsense = landed(field), landed(field, x="left"), 7
    answer = accepted(await send(client, bad, good, nonsense))
    assert answer == {
        "accepted": 1,
        "rejected": [
            {"index": 0, "event_id": bad["event_id"], "error": "x: must be a number"},
            {"index": 2, "event_id": None, "error": "must be a JSON object"},
        ],
    }
    assert (await only_event(valkey, settings)).event_id == UUID(good["event_id"])


async def test_an_event_that_is_sent_again_is_accepted_again(
    client: AsyncClient, field: Field
) -> None:
    wish = landed(field)
    answers = [accepted(await send(client, wish, wish)) for _ in range(2)]
    assert answers == [{"accepted": 2, "rejected": []}] * 2


async def test_a_batch_of_nothing_is_accepted(client: AsyncClient) -> None:
    assert accepted(await send(client)) == {"accepted": 0, "rejected": []}


async def test_a_thousand_events_are_accepted_at_once(client: AsyncClient, field: Field) -> None:
    events = [landed(field) for _ in range(1000)]
    assert accepted(await send(client, *events)) == {"accepted": 1000, "rejected": []}


async def test_accepted_events_wake_a_worker(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    accepted(await send(client, landed(field), landed(field)))
    accepted(await send(client, landed(field)))
    async with valkey.pipeline() as pipe:
        pipe.lrange(WOKEN, 0, -1)
        (woken,) = await pipe.execute()
    partition = partition_key(field.targets[1]) % settings.quiver_partitions
    assert [int(each) for each in woken] == [partition]


async def lanes(valkey: Redis, settings: Settings, field: Field) -> tuple[list[str], list[str]]:
    """What lies in the butt's partition: of what happens now, and of what came late."""
    inbox = inbox_of(valkey, settings)
    partition = inbox.partition_of(field.targets[1])
    found = [
        [decode(e.payload) for e in await inbox.read(lane, 100)]
        for lane in (partition, inbox.late_lane(partition))
    ]
    now, late = [
        [each.type if isinstance(each, AcceptedEvent) else "beat" for each in some]
        for some in found
    ]
    return now, late


async def test_what_happened_long_before_it_was_sent_is_not_in_the_way_of_what_happens_now(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    at = datetime.now(UTC)
    then, shortly = rfc3339(at - timedelta(seconds=11)), rfc3339(at - timedelta(seconds=9))
    await send(client, landed(field, ts=then), said(field, "1A bow", "arrow_release", ts=shortly))
    assert await lanes(valkey, settings, field) == (["arrow_release"], ["arrow_landed"])


async def test_a_clock_that_is_behind_makes_nothing_late_when_it_says_so(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    await send(client, landed(field, ts="2026-05-01T10:00:00Z"), sent_at="2026-05-01T10:00:01Z")
    assert await lanes(valkey, settings, field) == (["arrow_landed"], [])


async def test_workers_are_woken_for_what_viewers_see(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    inbox = inbox_of(valkey, settings)
    unseen = said(field, "1A arrow", "arrow_identified", arrow_id=str(uuid4()))
    await send(client, unseen, said(field, "1A bow", "arrow_engage"))
    assert await inbox.woken() == set()
    await send(client, said(field, "1A bow", "arrow_release"))
    assert await inbox.woken() == set()
    assert await inbox.take_patient(1) == {inbox.partition_of(field.targets[1])}
    await send(client, landed(field))
    assert await inbox.woken() == {inbox.partition_of(field.targets[1])}


async def test_a_heartbeat_stays_behind_what_its_reader_told_late(
    client: AsyncClient, field: Field, valkey: Redis, settings: Settings
) -> None:
    await send(client, landed(field, ts=rfc3339(datetime.now(UTC) - timedelta(minutes=1))))
    beat = {"readers": [{"reader_id": str(field.readers["1 target"]), "buffered": 0}]}
    assert (await client.post("/api/v0/reader/heartbeat", json=beat)).status_code == 200
    assert await lanes(valkey, settings, field) == ([], ["arrow_landed", "beat"])


LONG, SHORT = "application/json; charset=utf-8", "application/json"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"x": "far"},
        {"reader_id": str(UUID(int=1))},
        {"colour": "red"},
        {"x": float("nan")},
        {"ts": "yesterday"},
    ],
    ids=str,
)
@pytest.mark.parametrize("beside", [0, 1])
async def test_both_ways_of_a_batch_give_the_same_answer(
    client: AsyncClient, field: Field, wrong: dict[str, object], beside: int
) -> None:
    events = [landed(field) | wrong, *(landed(field) for _ in range(beside))]
    body = json.dumps({"events": events})
    answers = [
        await client.post(EVENT, content=body, headers={"Content-Type": kind})
        for kind in (LONG, SHORT)
    ]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b'{"events": {}}', b'{"events": [], "more": 1}'),
        *(b'{"sent_at": 5}', b'{"\xff": 1}', b'{"events": [{"event_id": "\xe9"}]}'),
        b'{"events": [], "sent_at": %s}' % (b"[" * 100_000 + b"]" * 100_000),
    ],
    ids=lambda body: body[:36],
)
async def test_both_ways_say_alike_what_is_wrong_with_a_body(
    client: AsyncClient, body: bytes
) -> None:
    answers = [
        await client.post(EVENT, content=body, headers={"Content-Type": kind})
        for kind in (LONG, SHORT)
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert answers[0].json() == answers[1].json()


async def test_neither_way_is_open_without_a_token(client: AsyncClient, field: Field) -> None:
    del client.headers["Authorization"]
    for kind in (LONG, SHORT):
        body = json.dumps({"events": [landed(field)]})
        answer = await client.post(EVENT, content=body, headers={"Content-Type": kind})
        assert answer.status_code == 401
