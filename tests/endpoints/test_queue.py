"""How the work stands, over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from arq.constants import in_progress_key_prefix
from httpx import AsyncClient
from redis.asyncio import Redis

from core.models.failed_job import Failure, attempt, insert_failed_job
from core.pause import pause
from core.postgres import Pool
from core.queue import Queue, open_arq
from core.roster import WorkerReport, report, sign_off
from core.schema.token import Role
from core.settings import Settings
from tests.butts import add_shot, set_up
from tests.endpoints.conftest import AsRole
from tests.fields import Field
from tests.fields import put_up as put_up_field
from tests.resources import Json, data, failure, put_up
from tests.wire import HEARTBEAT, accepted, landed, send

URL = "/api/v0/admin/queue"


@pytest.fixture(name="queue")
async def make_queue(settings: Settings) -> AsyncIterator[Queue]:
    """Where jobs are put."""
    made = Queue(open_arq(settings))
    yield made
    await made.close()


@pytest.fixture(name="field")
async def make_field(pool: Pool) -> Field:
    """Two butts with one archer each."""
    async with pool.acquire() as conn:
        return await put_up_field(conn, lanes=2)


async def state(client: AsyncClient) -> Json:
    """How the work stands."""
    told: Json = data(await client.get(URL))
    return told


def worker(name: str) -> WorkerReport:
    """What a worker says of itself."""
    return WorkerReport(name, "range", 7, "2026-05-01T10:00:00.000Z", "0.1.0", 1, 2, 3)


async def test_where_nothing_is_to_be_done_all_is_nought(client: AsyncClient) -> None:
    assert await state(client) == {
        "inbox": 0,
        "queued": 0,
        "running": 0,
        "deferred": 0,
        "retrying": 0,
        "failed": 0,
        "oldest_age_ms": 0,
        "workers": [],
        "pause": {"paused_at": None, "paused_by": None, "reason": None},
    }


async def test_what_is_accepted_counts_until_it_is_processed(
    client: AsyncClient, field: Field
) -> None:
    events = [landed(field, reader) for reader in ("1 target", "2 target", "2 target")]
    accepted(await send(client, *events))
    beats = [{"reader_id": str(reader)} for reader in field.readers.values()]
    data(await client.post(HEARTBEAT, json={"readers": beats}))
    told = await state(client)
    assert (told["inbox"], told["queued"]) == (9, 0)


async def test_the_oldest_event_says_how_long_work_waits(
    client: AsyncClient, valkey: Redis
) -> None:
    since = int((datetime.now(UTC) - timedelta(seconds=90)).timestamp() * 1000)
    await valkey.xadd("quiver:inbox:3", {"e": b"{}"}, id=f"{since}-0")
    assert 90_000 <= (await state(client))["oldest_age_ms"] < 120_000


async def test_a_job_for_later_is_deferred(client: AsyncClient, queue: Queue) -> None:
    await queue.enqueue("expire", 1, defer_until=datetime.now(UTC) + timedelta(hours=1))
    told = await state(client)
    assert (told["deferred"], told["queued"], told["oldest_age_ms"]) == (1, 0, 0)


async def test_a_job_that_is_due_is_queued_until_it_runs(
    client: AsyncClient, queue: Queue, valkey: Redis
) -> None:
    for job_id in ("first", "second"):
        await queue.enqueue("correlate", 1, job_id=job_id)
    await valkey.set(in_progress_key_prefix + "first", 1)
    told = await state(client)
    assert (told["queued"], told["running"]) == (1, 1)


async def test_a_change_that_is_to_be_derived_is_queued(client: AsyncClient, pool: Pool) -> None:
    await put_up(client)
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM recompute") == 1
    # It and the wake-up for it.
    assert (await state(client))["queued"] == 2


async def test_a_shot_that_no_viewer_was_told_of_is_queued(client: AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, await set_up(conn), 0, 10)
        await conn.execute("INSERT INTO untold (shot_ids) VALUES ($1)", [shot_id])
    assert (await state(client))["queued"] == 1


async def test_a_job_that_is_given_up_is_failed(client: AsyncClient, pool: Pool) -> None:
    now = datetime.now(UTC)
    tries = [attempt(ValueError("no face"), now, now)]
    async with pool.acquire() as conn:
        await insert_failed_job(conn, Failure("job", "score_shots", {"target": "1"}, tries))
    assert (await state(client))["failed"] == 1


async def test_workers_are_shown_while_they_live(client: AsyncClient, valkey: Redis) -> None:
    for name in ("b", "a", "c"):
        await report(valkey, worker(name))
    await sign_off(valkey, "c")
    told = (await state(client))["workers"]
    assert [each["id"] for each in told] == ["a", "b"]
    assert told[0] == {
        "id": "a",
        "host": "range",
        "pid": 7,
        "started_at": "2026-05-01T10:00:00.000Z",
        "version": "0.1.0",
        "running": 1,
        "done": 2,
        "failed": 3,
    }


async def test_a_queue_that_is_held_says_since_when_by_whom_and_why(
    client: AsyncClient, valkey: Redis
) -> None:
    since = datetime(2026, 5, 1, 10, tzinfo=UTC)
    await pause(valkey, "Ana", "a face is put right", since)
    assert (await state(client))["pause"] == {
        "paused_at": "2026-05-01T10:00:00.000Z",
        "paused_by": "Ana",
        "reason": "a face is put right",
    }


@pytest.mark.parametrize("role", [Role.READER, Role.GATEWAY])
async def test_readers_and_gateways_do_not_see_it(as_role: AsRole, role: Role) -> None:
    said = failure(await (await as_role(role)).get(URL))
    assert said == (403, [f"Authorization: the role {role} may not do this"])


async def test_nobody_sees_it_without_a_token(anonymous: AsyncClient) -> None:
    assert failure(await anonymous.get(URL)) == (401, ["Authorization: a bearer token is needed"])
