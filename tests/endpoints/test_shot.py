"""Reading shots."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from core.models.token import create_token
from core.postgres import Pool
from core.schema.token import Role
from core.settings import Settings
from tests.butts import Butts, add_shot, set_up
from tests.serving import serving

FIELDS = """
id session_id target_id slot_id archer_id arrow_id engage_time release_time landing_time x y status
score is_x label face_id spot confidence flags end_number version release_event_id landing_event_id
"""


@pytest.fixture(name="http")
async def make_http(settings: Settings) -> AsyncIterator[AsyncClient]:
    """A client of a running API."""
    async with serving(settings) as served, AsyncClient(base_url=served.url) as client:
        yield client


@pytest.fixture(name="butts")
async def make_butts(pool: Pool) -> Butts:
    """A session whose results are public."""
    async with pool.acquire() as conn:
        return await set_up(conn)


async def ids(http: AsyncClient, butts: Butts, **query: object) -> list[str]:
    """The ids of the shots in the first page."""
    params: Mapping[str, str] = {name: str(value) for name, value in query.items()}
    answer = await http.get(f"/api/v0/session/{butts.session_id}/shot", params=params)
    assert answer.status_code == 200
    return [shot["id"] for shot in answer.json()["data"]["items"]]


async def three_shots(pool: Pool, butts: Butts) -> list[UUID]:
    """One in the air at the first target, then two that landed at the second."""
    async with pool.acquire() as conn:
        return [
            await add_shot(conn, butts, 0, 10),
            await add_shot(conn, butts, 2, 20, score=9),
            await add_shot(conn, butts, 3, 30, score=8),
        ]


async def test_a_shot_in_the_air_is_shown_as_it_stands(
    http: AsyncClient, butts: Butts, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, butts, 0, 10)
    answer = await http.get(f"/api/v0/shot/{shot_id}")
    body = answer.json()
    assert (answer.status_code, body["code"], body["errors"]) == (200, 200, [])
    shot = body["data"]
    release_event_id, archer_id = shot.pop("release_event_id"), shot.pop("archer_id")
    assert UUID(release_event_id) and UUID(archer_id)
    assert shot == {
        "id": str(shot_id),
        "session_id": str(butts.session_id),
        "target_id": str(butts.target_ids[0]),
        "slot_id": str(butts.slot_ids[0]),
        "arrow_id": None,
        "engage_time": None,
        "release_time": "2026-05-01T10:00:10.000Z",
        "landing_time": None,
        "x": None,
        "y": None,
        "status": "in_flight",
        "score": None,
        "is_x": False,
        "label": None,
        "face_id": None,
        "spot": None,
        "confidence": 1.0,
        "flags": [],
        "end_number": 1,
        "version": 1,
        "landing_event_id": None,
    }


async def test_a_shot_that_landed_says_where_and_what(
    http: AsyncClient, butts: Butts, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, butts, 0, 10, score=9)
    shot = (await http.get(f"/api/v0/shot/{shot_id}")).json()["data"]
    told = (shot["status"], shot["score"], shot["label"], shot["x"], shot["landing_time"])
    assert told == ("landed", 9, "9", 1.5, "2026-05-01T10:00:11.000Z")


async def test_the_fields_stand_in_the_order_of_the_contract(
    http: AsyncClient, butts: Butts, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, butts, 0, 10)
    shot = (await http.get(f"/api/v0/shot/{shot_id}")).json()["data"]
    assert list(shot) == FIELDS.split()


async def test_shots_are_listed_in_the_order_of_their_release(
    http: AsyncClient, butts: Butts, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        later = await add_shot(conn, butts, 0, 20)
        earlier = await add_shot(conn, butts, 1, 10)
    assert await ids(http, butts) == [str(earlier), str(later)]


async def test_pages_follow_each_other_without_gap_or_repeat(
    http: AsyncClient, butts: Butts, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        for second in (1, 2, 2, 2, 3):
            await add_shot(conn, butts, 0, second)
    found: list[str] = []
    cursor: str | None = None
    while not found or cursor:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = await http.get(f"/api/v0/session/{butts.session_id}/shot", params=query)
        page = answer.json()["data"]
        found += [shot["id"] for shot in page["items"]]
        cursor = page["next_cursor"]
    assert found == await ids(http, butts)
    assert len(set(found)) == 5


async def test_shots_of_one_target_are_listed(http: AsyncClient, butts: Butts, pool: Pool) -> None:
    _, second, third = await three_shots(pool, butts)
    assert await ids(http, butts, target_id=butts.target_ids[1]) == [str(second), str(third)]


async def test_shots_of_one_slot_are_listed(http: AsyncClient, butts: Butts, pool: Pool) -> None:
    _, second, _ = await three_shots(pool, butts)
    assert await ids(http, butts, slot_id=butts.slot_ids[2]) == [str(second)]


async def test_shots_that_stand_so_are_listed(http: AsyncClient, butts: Butts, pool: Pool) -> None:
    first, _, _ = await three_shots(pool, butts)
    assert await ids(http, butts, status="in_flight") == [str(first)]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"status": "gone"}, "query.status: must be 'in_flight'"),
        ({"target_id": "1"}, "query.target_id: must be a UUID"),
        ({"limit": "1001"}, "query.limit: "),
        ({"cursor": "x"}, "query.cursor: is not a cursor that this list gave"),
    ],
)
async def test_a_wish_that_means_nothing_is_refused(
    http: AsyncClient, butts: Butts, query: Mapping[str, str], error: str
) -> None:
    answer = await http.get(f"/api/v0/session/{butts.session_id}/shot", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0].startswith(error)


@pytest.mark.parametrize("path", ["/shot/{}", "/session/{}/shot", "/session/{}/leaderboard"])
async def test_an_unknown_id_is_not_found(http: AsyncClient, path: str) -> None:
    unknown = uuid4()
    answer = await http.get(f"/api/v0{path.format(unknown)}")
    assert answer.status_code == 404
    assert answer.json()["errors"] == [f"{path.split('/')[1]} {unknown}: not found"]


@pytest.mark.parametrize(
    ("role", "status"),
    [(None, 401), (Role.GATEWAY, 403), (Role.VIEWER, 200), (Role.JUDGE, 200), (Role.ADMIN, 200)],
)
@pytest.mark.parametrize("path", ["/shot/{1}", "/session/{0}/shot", "/session/{0}/leaderboard"])
async def test_hidden_results_are_for_whoever_has_the_role(
    http: AsyncClient, pool: Pool, path: str, role: Role | None, status: int
) -> None:
    async with pool.acquire() as conn:
        hidden = await set_up(conn, results_public=False)
        shot_id = await add_shot(conn, hidden, 0, 10)
        token = None if role is None else (await create_token(conn, role, "somebody")).token
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = await http.get(f"/api/v0{path.format(hidden.session_id, shot_id)}", headers=headers)
    assert answer.status_code == status
