"""The queue held and let go, over HTTP."""

import asyncio

import pytest
from httpx import AsyncClient

from core.schema.token import Role
from tests.endpoints.conftest import AsRole
from tests.resources import data, failure

URL = "/api/v0/admin/queue"
ACTION = "/api/v0/admin/action"


async def test_the_queue_is_held_and_goes_on(client: AsyncClient) -> None:
    held = data(await client.post(f"{URL}/pause", json={"reason": "a face is put right"}))
    assert (held["paused_by"], held["reason"]) == ("the environment", "a face is put right")
    gone_on = data(await client.post(f"{URL}/resume"))
    assert gone_on == {"paused_at": None, "paused_by": None, "reason": None}


async def test_holding_it_again_changes_nothing(client: AsyncClient) -> None:
    first = data(await client.post(f"{URL}/pause"))
    again = await asyncio.gather(*(client.post(f"{URL}/pause") for _ in range(3)))
    assert [data(each) for each in again] == [first] * 3
    for _ in range(2):
        data(await client.post(f"{URL}/resume"))
    actions = data(await client.get(ACTION))["items"]
    assert [each["action"] for each in actions] == ["resume", "pause"]


async def test_of_many_who_press_at_once_one_has_done_it(client: AsyncClient) -> None:
    for wish in ("pause", "resume"):
        for answer in await asyncio.gather(*(client.post(f"{URL}/{wish}") for _ in range(8))):
            data(answer)
    actions = data(await client.get(ACTION))["items"]
    assert [each["action"] for each in actions] == ["resume", "pause"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE, Role.READER, Role.GATEWAY])
@pytest.mark.parametrize("wish", ["pause", "resume"])
async def test_only_admins_hold_it(as_role: AsRole, role: Role, wish: str) -> None:
    assert failure(await (await as_role(role)).post(f"{URL}/{wish}"))[0] == 403


async def test_a_reason_that_is_too_long_is_refused(client: AsyncClient) -> None:
    code, (said,) = failure(await client.post(f"{URL}/pause", json={"reason": "x" * 501}))
    assert (code, said.partition(":")[0]) == (422, "body.reason")


async def test_actions_come_in_pages_the_latest_first(client: AsyncClient) -> None:
    for _ in range(2):
        data(await client.post(f"{URL}/pause"))
        data(await client.post(f"{URL}/resume"))
    first = data(await client.get(ACTION, params={"limit": 3}))
    then = data(await client.get(ACTION, params={"cursor": first["next_cursor"]}))
    seen = [each["action"] for each in [*first["items"], *then["items"]]]
    assert (seen, then["next_cursor"]) == (["resume", "pause", "resume", "pause"], None)
