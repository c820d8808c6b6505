"""Tokens over HTTP: who may do what."""

from uuid import UUID

import pytest
from httpx import AsyncClient

from core.postgres import Pool
from core.schema.token import Role
from tests.endpoints.conftest import AsRole, Opened
from tests.fields import put_up
from tests.resources import UNKNOWN, Json, data, failure, make
from tests.wire import token_of

URL = "/api/v0/token"
HASH_SELECT = (
    "SELECT octet_length(hash) FROM token WHERE id = $1 AND position($2::bytea IN hash) = 0"
)


async def test_a_token_is_shown_with_what_it_may(client: AsyncClient) -> None:
    made = await make(client, "token", {"role": "judge", "name": "Eva"})
    assert UUID(made.pop("id"))
    # 256 bits are 43 letters of six bits each.
    assert len(made.pop("token")) == 43
    assert made == {"role": "judge", "name": "Eva"}


async def test_of_a_token_only_a_hash_is_kept(client: AsyncClient, pool: Pool) -> None:
    made = await make(client, "token", {"role": "viewer", "name": "Eva"})
    async with pool.acquire() as conn:
        length = await conn.fetchval(HASH_SELECT, UUID(made["id"]), made["token"].encode())
    assert length == 32


async def test_two_tokens_are_never_the_same(client: AsyncClient) -> None:
    wish = {"role": "viewer", "name": "Eva"}
    made = [await make(client, "token", wish) for _ in range(2)]
    assert len({each["token"] for each in made}) == len({each["id"] for each in made}) == 2


@pytest.mark.parametrize(
    ("role", "status"), [("gateway", 403), ("viewer", 200), ("judge", 200), ("admin", 200)]
)
async def test_a_token_opens_what_its_role_may(
    client: AsyncClient, opened: Opened, role: str, status: int
) -> None:
    made = await make(client, "token", {"role": role, "name": "somebody"})
    somebody = await opened(made["token"])
    assert (await somebody.get("/api/v0/archer")).status_code == status


async def test_an_administrators_token_makes_others(client: AsyncClient, opened: Opened) -> None:
    made = await make(client, "token", {"role": "admin", "name": "second"})
    other = await opened(made["token"])
    assert (await make(other, "token", {"role": "viewer", "name": "Eva"}))["role"] == "viewer"


async def test_tokens_are_listed_without_their_secret(client: AsyncClient) -> None:
    made = await make(client, "token", {"role": "viewer", "name": "Eva"})
    (listed,) = data(await client.get(URL))["items"]
    assert listed.pop("created_at").endswith("Z")
    assert listed == {
        "id": made["id"],
        "role": "viewer",
        "name": "Eva",
        "reader_id": None,
        "revoked_at": None,
    }


async def test_a_readers_token_is_listed_with_its_reader(client: AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn)
    items = data(await client.get(URL))["items"]
    told = {each["reader_id"]: (each["role"], each["name"]) for each in items}
    assert told == {str(id_): ("reader", name) for name, id_ in field.readers.items()}


async def test_tokens_are_listed_in_the_order_of_their_creation(client: AsyncClient) -> None:
    wishes = [{"role": "viewer", "name": str(number)} for number in range(5)]
    made = [(await make(client, "token", wish))["id"] for wish in wishes]
    found: list[str] = []
    cursor: str | None = None
    while not found or cursor:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = data(await client.get(URL, params=query))
        found, cursor = found + [each["id"] for each in page["items"]], page["next_cursor"]
    assert found == made


async def test_a_revoked_token_is_refused_and_stays_listed(
    client: AsyncClient, opened: Opened
) -> None:
    made = await make(client, "token", {"role": "viewer", "name": "Eva"})
    viewer = await opened(made["token"])
    assert (await viewer.get("/api/v0/archer")).status_code == 200
    assert data(await client.delete(f"{URL}/{made['id']}")) is None
    answer = await viewer.get("/api/v0/archer")
    assert failure(answer) == (401, ["Authorization: the token is unknown or was revoked"])
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    (listed,) = data(await client.get(URL))["items"]
    assert listed["revoked_at"].endswith("Z")


async def test_a_token_is_revoked_once(client: AsyncClient) -> None:
    made = await make(client, "token", {"role": "viewer", "name": "Eva"})
    times = []
    for _ in range(2):
        data(await client.delete(f"{URL}/{made['id']}"))
        times.append(data(await client.get(URL))["items"][0]["revoked_at"])
    assert times[0] == times[1]


async def test_an_unknown_token_is_not_found(client: AsyncClient) -> None:
    assert failure(await client.delete(f"{URL}/{UNKNOWN}")) == (
        404,
        [f"token {UNKNOWN}: not found"],
    )


ROLES = "role: must be 'gateway', 'viewer', 'judge' or 'admin'"


@pytest.mark.parametrize(
    ("wish", "errors"),
    [
        ({}, ["role: is missing", "name: is missing"]),
        ({"role": "reader", "name": "a bow"}, [ROLES]),
        ({"role": "king", "name": "Eva"}, [ROLES]),
        ({"role": "judge", "name": ""}, ["name: must have at least 1 character"]),
        ({"role": "judge", "name": None}, ["name: must be text"]),
        ({"role": "judge", "name": "Eva", "token": "1234"}, ["token: is not a known field"]),
    ],
)
async def test_what_makes_no_token_is_refused(
    client: AsyncClient, wish: Json, errors: list[str]
) -> None:
    said = failure(await client.post(URL, json=wish))
    assert said == (422, [f"body.{error}" for error in errors])


@pytest.mark.parametrize("role", [Role.READER, Role.GATEWAY, Role.VIEWER, Role.JUDGE])
async def test_only_an_administrator_sees_to_tokens(as_role: AsRole, role: Role) -> None:
    somebody, refused = await as_role(role), (
        403,
        [f"Authorization: the role {role} may not do this"],
    )
    wish = {"role": "admin", "name": "me"}
    assert failure(await somebody.post(URL, json=wish)) == refused
    assert failure(await somebody.get(URL)) == refused
    assert failure(await somebody.delete(f"{URL}/{UNKNOWN}")) == refused


async def test_nobody_gets_a_token_without_one(anonymous: AsyncClient) -> None:
    answer = await anonymous.post(URL, json={"role": "admin", "name": "me"})
    assert failure(answer) == (401, ["Authorization: a bearer token is needed"])


async def test_a_readers_own_token_is_shown_by_nobody_again(
    client: AsyncClient, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn)
    token = await token_of(pool, field.readers["1A bow"])
    pages = [await client.get(URL), await client.get("/api/v0/reader")]
    assert not any(token in page.text for page in pages)
