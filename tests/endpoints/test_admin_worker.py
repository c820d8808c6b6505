"""Workers, and asking one of them to go, over HTTP."""

import asyncio

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from core.roster import Running, Wish, WorkerReport, report, sign_off
from core.schema.token import Role
from tests.endpoints.conftest import AsRole
from tests.resources import data, failure

URL = "/api/v0/admin/worker"
STARTED_AT = "2026-05-01T10:00:00.000Z"
BUSY = WorkerReport(
    id="a",
    host="range",
    pid=7,
    started_at=STARTED_AT,
    version="0.1.0",
    running=1,
    done=20,
    failed=3,
    jobs=[Running("job", "correlate", STARTED_AT)],
    concurrency=10,
    memory_bytes=90_000_000,
    done_per_min=12.0,
)


async def test_a_worker_is_shown_with_what_it_is_at(client: AsyncClient, valkey: Redis) -> None:
    await report(valkey, BUSY)
    (told,) = data(await client.get(URL))
    assert told | {"seen_at": ""} == {
        "id": "a",
        "host": "range",
        "pid": 7,
        "version": "0.1.0",
        "started_at": STARTED_AT,
        "seen_at": "",
        "concurrency": 10,
        "running": [{"id": "job", "function": "correlate", "started_at": STARTED_AT}],
        "done": 20,
        "failed": 3,
        "done_per_min": 12.0,
        "memory_bytes": 90_000_000,
        "asked_to": None,
    }


@pytest.mark.parametrize("wish", list(Wish))
async def test_a_worker_hears_what_it_is_asked_with_its_next_report(
    client: AsyncClient, valkey: Redis, wish: Wish
) -> None:
    assert await report(valkey, BUSY) is None
    assert data(await client.post(f"{URL}/a/{wish}"))["asked_to"] == wish
    assert await report(valkey, BUSY) is wish


async def test_a_worker_is_asked_once_however_many_ask(client: AsyncClient, valkey: Redis) -> None:
    await report(valkey, BUSY)
    asked = [client.post(f"{URL}/a/{wish}") for wish in ("stop", "restart", "stop")]
    told = {data(each)["asked_to"] for each in await asyncio.gather(*asked)}
    actions = data(await client.get("/api/v0/admin/action"))["items"]
    assert (len(told), len(actions)) == (1, 1)
    assert actions[0]["subject"] == "worker a"


async def test_a_worker_that_went_is_not_found(client: AsyncClient, valkey: Redis) -> None:
    await report(valkey, BUSY)
    await sign_off(valkey, "a")
    assert failure(await client.post(f"{URL}/a/stop")) == (404, ["worker a: not found"])
    assert data(await client.get("/api/v0/admin/action"))["items"] == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE])
async def test_viewers_see_workers_and_stop_none(
    as_role: AsRole, valkey: Redis, role: Role
) -> None:
    await report(valkey, BUSY)
    client = await as_role(role)
    assert [each["id"] for each in data(await client.get(URL))] == ["a"]
    assert failure(await client.post(f"{URL}/a/stop"))[0] == 403
    assert await report(valkey, BUSY) is None
