"""Schedules, partitions and readers as operators see them, over HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from core.postgres import Pool
from core.schedules import ScheduleSeen, note_schedules
from core.schema.token import Role
from core.settings import Settings
from tests.endpoints.conftest import AsRole
from tests.fields import Field, put_up
from tests.resources import Json, data, failure
from tests.wire import landed, send
from workers.statistics import Statistics

URL = "/api/v0/admin"
HEARD = """
INSERT INTO reader_status (reader_id, last_heard_at, is_online, battery_pct, buffered)
VALUES ($1, now(), $2, $3, $4)
"""


@pytest.fixture(name="field")
async def make_field(pool: Pool) -> Field:
    """Two butts with one archer each."""
    async with pool.acquire() as conn:
        return await put_up(conn, lanes=2)


async def hear(
    pool: Pool, reader: UUID, *, online: bool = True, battery: int = 90, buffered: int = 0
) -> None:
    """A reader was heard of."""
    async with pool.acquire() as conn:
        await conn.execute(HEARD, reader, online, battery, buffered)


async def readers(client: AsyncClient, **wanted: object) -> list[Json]:
    """The readers that are shown."""
    page = data(await client.get(f"{URL}/reader", params={k: str(v) for k, v in wanted.items()}))
    shown: list[Json] = page["items"]
    return shown


async def test_readers_with_trouble_come_first_silent_ones_before_all(
    client: AsyncClient, pool: Pool, field: Field, valkey: Redis
) -> None:
    names = ("1A bow", "2A bow", "1 target", "2 target")
    well, low, stuttering, silent = (field.readers[name] for name in names)
    await hear(pool, well)
    await hear(pool, low, battery=5)
    await hear(pool, stuttering)
    await hear(pool, silent, online=False)
    statistics = Statistics()
    statistics.heard([], [stuttering] * 40)
    await statistics.flush(valkey, datetime.now(UTC))
    shown = await readers(client)
    troubles = [(UUID(each["id"]), each["trouble"]) for each in shown]
    assert troubles[:3] == [
        (silent, ["silent"]),
        (stuttering, ["stuttering"]),
        (low, ["battery"]),
    ]
    assert (well, []) in troubles[3:]
    assert shown[1]["duplicates_per_min"] == 8.0
    only = await readers(client, trouble=True)
    assert [UUID(each["id"]) for each in only] == [silent, stuttering, low]


async def test_a_reader_that_was_never_heard_in_an_open_session_is_silent(
    client: AsyncClient, field: Field
) -> None:
    shown = await readers(client)
    assert len(shown) == len(field.readers)
    assert all(each["is_online"] is None for each in shown)
    silent = {each["kind"] for each in shown if each["trouble"] == ["silent"]}
    # An archer without a reader on the arrows is no trouble.
    assert silent == {"bow", "target"}


async def test_readers_come_in_pages(client: AsyncClient, field: Field) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        page = data(await client.get(f"{URL}/reader", params=query))
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(str(each) for each in field.readers.values())


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "٣", "9" * 40])
async def test_a_cursor_that_is_none_is_refused(client: AsyncClient, cursor: str) -> None:
    code, (said,) = failure(await client.get(f"{URL}/reader", params={"cursor": cursor}))
    assert (code, said.partition(":")[0]) == (422, "query.cursor")


async def test_a_partition_shows_what_waits_in_it(
    client: AsyncClient, field: Field, settings: Settings
) -> None:
    await send(client, landed(field), landed(field))
    shown = data(await client.get(f"{URL}/partition"))
    assert [each["partition"] for each in shown] == list(range(settings.quiver_partitions))
    (full,) = [each for each in shown if each["depth"]]
    assert (full["depth"], full["is_woken"]) == (2, True)
    assert 0 <= full["oldest_age_ms"] < 60_000
    assert sum(each["targets"] for each in shown) == 2


async def test_a_schedule_shows_its_latest_run_of_any_worker(
    client: AsyncClient, valkey: Redis
) -> None:
    at = datetime(2026, 5, 1, 10, tzinfo=UTC)
    for back in (0, 5, None):
        last = None if back is None else at - timedelta(seconds=back)
        took = None if back is None else 7.0 + back
        seen = ScheduleSeen("cron:sweep", "sweep", "every second", last, took, at)
        await note_schedules(valkey, [seen])
    assert data(await client.get(f"{URL}/schedule")) == [
        {
            "name": "cron:sweep",
            "function": "sweep",
            "every": "every second",
            "last_run_at": "2026-05-01T10:00:00.000Z",
            "last_duration_ms": 7.0,
            "next_run_at": "2026-05-01T10:00:00.000Z",
        }
    ]


@pytest.mark.parametrize("role", [Role.READER, Role.GATEWAY])
@pytest.mark.parametrize("what", ["schedule", "partition", "reader", "worker"])
async def test_readers_and_gateways_see_none_of_it(as_role: AsRole, role: Role, what: str) -> None:
    assert failure(await (await as_role(role)).get(f"{URL}/{what}"))[0] == 403
