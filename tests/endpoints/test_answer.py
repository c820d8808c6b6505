"""What every answer has in common, whatever becomes of the request, over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from httpx import ASGITransport, AsyncClient, Response

from api.main import create_app
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.endpoints.conftest import with_state
from tests.resources import UNKNOWN, data, failure
from tests.serving import WITHIN_S, Served, serving
from tests.wire import EVENT

ARCHERS = "/api/v0/archer"
AS_ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
AS_JSON = {"Content-Type": "application/json"}
# Nobody listens on port 1.
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(name="served")
async def make_served(settings: Settings) -> AsyncIterator[Served]:
    """A server in this process."""
    async with serving(settings) as server:
        yield server


@pytest.fixture(name="http")
async def make_http(served: Served) -> AsyncIterator[AsyncClient]:
    """An administrator."""
    async with AsyncClient(base_url=served.url, headers=AS_ADMIN) as client:
        yield client


async def connected(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection."""
    host, port = served.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def spaces(number: int) -> AsyncIterator[bytes]:
    """So many bytes that do not say how many they are."""
    for _ in range(0, number, 65_536):
        yield b" " * 65_536


async def every_failure(http: AsyncClient) -> list[Response]:
    """An answer of each kind of failure that a caller can bring about."""
    wish = {"given_name": "Ana", "family_name": "Ruiz"}
    archer = data(await http.post(ARCHERS, json=wish))
    bow = {"archer_id": archer["id"], "bowstyle": "recurve"}
    data(await http.post("/api/v0/bow", json=bow))
    return [
        await http.get(ARCHERS, headers={"Authorization": "Bearer nothing"}),
        await http.get(f"{ARCHERS}/{UNKNOWN}"),
        await http.get("/nothing"),
        await http.delete(ARCHERS),
        await http.delete(f"{ARCHERS}/{archer['id']}"),
        await http.post(EVENT, content=b" " * 2_097_152, headers=AS_JSON),
        await http.post(ARCHERS, content=b"[" * 100_000, headers=AS_JSON),
    ]


async def test_every_failure_is_wrapped_and_repeats_its_status(http: AsyncClient) -> None:
    answers = await every_failure(http)
    assert [failure(answer)[0] for answer in answers] == [401, 404, 404, 405, 409, 413, 422]
    assert all(failure(answer)[1] for answer in answers)


async def test_every_answer_has_the_id_of_its_request(http: AsyncClient) -> None:
    request_id = str(uuid4())
    http.headers["X-Request-ID"] = request_id
    answers = [await http.get(ARCHERS), *await every_failure(http)]
    assert {answer.headers["X-Request-ID"] for answer in answers} == {request_id}


@pytest.mark.parametrize("said", [None, "", "7", "not-a-uuid", "x" * 5_000])
async def test_a_request_without_an_id_gets_one(http: AsyncClient, said: str | None) -> None:
    if said is not None:
        http.headers["X-Request-ID"] = said
    made = [UUID((await http.get(ARCHERS)).headers["X-Request-ID"]) for _ in range(2)]
    assert made[0] != made[1]


async def test_a_head_is_answered_without_a_body(http: AsyncClient) -> None:
    answer = await http.head(ARCHERS)
    assert (answer.status_code, answer.content) == (405, b"")
    assert data(await http.get(ARCHERS))["items"] == []


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "TRACE"])
async def test_other_methods_are_not_possible(http: AsyncClient, method: str) -> None:
    answer = await http.request(method, EVENT)
    sentence = "method: not possible here; the header Allow says which are"
    assert failure(answer) == (405, [sentence])
    assert set(answer.headers["Allow"].split(", ")) <= {"GET", "POST"}


async def test_a_body_that_does_not_say_its_size_is_cut_off_where_it_is_too_large(
    http: AsyncClient,
) -> None:
    answer = await http.post(EVENT, content=spaces(2_097_152), headers=AS_JSON)
    assert failure(answer) == (413, ["body: must have at most 1048576 bytes"])
    assert data(await http.get(ARCHERS))["items"] == []


async def test_who_asks_before_they_send_too_much_is_told_at_once(served: Served) -> None:
    reader, writer = await connected(served)
    writer.write(
        b"POST /api/v0/event HTTP/1.1\r\nHost: q\r\nContent-Length: 2097152\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    async with asyncio.timeout(WITHIN_S):
        assert (await reader.readline()).split()[1] == b"413"
    writer.close()


async def test_a_caller_that_goes_away_in_the_middle_harms_nobody(
    served: Served, http: AsyncClient
) -> None:
    _, writer = await connected(served)
    writer.write(b"POST /api/v0/archer HTTP/1.1\r\nHost: q\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert data(await http.get(ARCHERS))["items"] == []


async def test_where_the_inbox_cannot_be_reached_events_are_to_be_sent_again(
    settings: Settings,
) -> None:
    lost = settings.model_copy(update={"redis_url": NOWHERE})
    async with serving(lost) as server, AsyncClient(base_url=server.url, headers=AS_ADMIN) as http:
        reader = data(await http.post("/api/v0/reader", json={"kind": "bow", "name": "a bow"}))
        event = {"event_id": UNKNOWN, "reader_id": reader["id"], "type": "arrow_release"}
        ts = reader["created_at"]
        answer = await http.post(EVENT, json={"events": [event | {"ts": ts}]})
    reason = "a store is not reachable just now: nothing was kept, try again"
    assert failure(answer) == (503, [reason])
    assert answer.headers["Retry-After"] == "2"


async def test_a_bug_tells_the_caller_no_more_than_the_id_of_their_request(
    settings: Settings,
) -> None:
    async def broken() -> None:
        raise RuntimeError("the secret of the house")

    app, request_id = create_app(settings), str(uuid4())
    app.add_api_route("/broken", broken)
    async with app.router.lifespan_context(app) as state:
        transport = ASGITransport(app=with_state(app, dict(state or {})))
        async with AsyncClient(transport=transport, base_url="http://quiver") as http:
            answer = await http.get("/broken", headers={"X-Request-ID": request_id})
    sentence = f"the server failed; give this request id to its operator: {request_id}"
    assert failure(answer) == (500, [sentence])
    assert answer.headers["X-Request-ID"] == request_id
