"""Who may read and who may write resources."""

import pytest
from httpx import AsyncClient

from core.schema.token import Role
from tests.endpoints.conftest import AsRole, Opened
from tests.resources import UNKNOWN, failure

RESOURCES = ("session", "archer", "bow", "arrow", "target", "slot", "reader")
WRITES = (
    *(("POST", f"/api/v0/{resource}") for resource in RESOURCES),
    *(("PATCH", f"/api/v0/{resource}/{UNKNOWN}") for resource in RESOURCES),
    *(("DELETE", f"/api/v0/{resource}/{UNKNOWN}") for resource in RESOURCES),
    ("POST", f"/api/v0/reader/{UNKNOWN}/rotate_token"),
    ("POST", f"/api/v0/session/{UNKNOWN}/start_list"),
)
READS = (
    *(("GET", f"/api/v0/{resource}") for resource in RESOURCES),
    *(("GET", f"/api/v0/{resource}/{UNKNOWN}") for resource in RESOURCES if resource != "session"),
)


async def refused(
    client: AsyncClient, requests: tuple[tuple[str, str], ...], status: int
) -> list[tuple[str, str]]:
    """Those of the requests that are refused with this status."""
    answers = {
        (method, path): await client.request(method, path, json=None if method == "GET" else {})
        for method, path in requests
    }
    return [
        each
        for each, answer in answers.items()
        if answer.status_code >= 400 and failure(answer)[0] == status
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE, Role.GATEWAY, Role.READER])
async def test_only_an_administrator_writes(as_role: AsRole, role: Role) -> None:
    assert await refused(await as_role(role), WRITES, 403) == list(WRITES)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.JUDGE])
async def test_viewers_and_judges_read(as_role: AsRole, role: Role) -> None:
    assert not await refused(await as_role(role), READS, 403)


@pytest.mark.parametrize("role", [Role.GATEWAY, Role.READER])
async def test_readers_and_gateways_read_nothing(as_role: AsRole, role: Role) -> None:
    assert await refused(await as_role(role), READS, 403) == list(READS)


async def test_nobody_does_anything_without_a_token(anonymous: AsyncClient) -> None:
    assert await refused(anonymous, READS + WRITES, 401) == list(READS + WRITES)


async def test_a_token_that_is_not_known_is_refused_everywhere(opened: Opened) -> None:
    stranger = await opened("no-token-of-ours")
    assert await refused(stranger, READS + WRITES, 401) == list(READS + WRITES)


async def test_a_refusal_says_why(as_role: AsRole) -> None:
    viewer = await as_role(Role.VIEWER)
    said = failure(await viewer.post("/api/v0/archer", json={}))
    assert said == (403, ["Authorization: the role viewer may not do this"])
