"""Ends that a judge opens and closes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from core.feed import stream_key
from core.models.token import create_token
from core.postgres import Pool
from core.schema.token import Role
from core.schema.types import rfc3339
from tests.endpoints.conftest import AsRole, Opened
from tests.resources import UNKNOWN, Asked, Json, Range, asked, data, failure, put_up

API = "/api/v0"
BEGIN = datetime(2024, 5, 1, 10, tzinfo=UTC)
MANUAL: Mapping[str, object] = {"arrows_per_end": 3, "ends": 4, "end_control": "manual"}
AUTO_INSERT = """
INSERT INTO shooting_end (id, session_id, target_id, number, control, opened_at, closed_at)
SELECT gen_random_uuid(), session_id, id, $2, 'auto', $3, $4 FROM target WHERE id = $1
RETURNING id
"""


def at(minute: float) -> str:
    """So many minutes after the session's start."""
    return rfc3339(BEGIN + timedelta(minutes=minute))


async def held(client: AsyncClient, pool: Pool, **others: object) -> Range:
    """A session in which a judge opens and closes the ends, and nothing asked yet."""
    field = await put_up(client, **({"start_time": at(0), "rules": MANUAL} | others))
    await asked(pool)
    return field


async def opening(client: AsyncClient, field: Range, **wish: object) -> Json:
    """An end that was opened."""
    made: Json = data(await client.post(f"{API}/session/{field.session['id']}/end", json=wish))
    return made


async def closing(client: AsyncClient, end: Json, **wish: object) -> Json:
    """The end, closed."""
    made: Json = data(await client.post(f"{API}/end/{end['id']}/close", json=wish))
    return made


async def two_ends(client: AsyncClient, pool: Pool) -> tuple[Range, Json, Json]:
    """A session with an end from minute 1 to 3 and one from 5 to 7."""
    field = await held(client, pool)
    ends = []
    for begin in (1, 5):
        end = await opening(client, field, opened_at=at(begin))
        ends.append(await closing(client, end, closed_at=at(begin + 2)))
    await asked(pool)
    return field, ends[0], ends[1]


async def listed(client: AsyncClient, field: Range, **query: str) -> list[Json]:
    """The session's ends."""
    answer = await client.get(f"{API}/session/{field.session['id']}/end", params=query)
    items: list[Json] = data(answer)["items"]
    return items


async def told(valkey: Redis, field: Range) -> list[tuple[str, str]]:
    """What viewers were told of ends: the frames' types and their data."""
    frames = await valkey.xrange(stream_key(field.session["id"]))
    return [(fields[b"h"].split(b'"')[3].decode(), fields[b"t"].decode()) for _, fields in frames]


async def judge_named(opened_by: Opened, pool: Pool, name: str) -> AsyncClient:
    """A judge's client."""
    async with pool.acquire() as conn:
        return await opened_by((await create_token(conn, Role.JUDGE, name)).token)


async def test_a_judge_opens_an_end_now(client: AsyncClient, pool: Pool, opened: Opened) -> None:
    field = await held(client, pool)
    judge = await judge_named(opened, pool, "line judge")
    before = datetime.now(UTC)
    end = data(await judge.post(f"{API}/session/{field.session['id']}/end"))
    moment = datetime.fromisoformat(end["opened_at"])
    assert before - timedelta(milliseconds=1) < moment <= datetime.now(UTC)
    created_at, updated_at = end.pop("created_at"), end.pop("updated_at")
    assert created_at == updated_at
    assert end == {
        "id": end["id"],
        "session_id": field.session["id"],
        "target_id": None,
        "number": 1,
        "control": "manual",
        "opened_at": end["opened_at"],
        "closed_at": None,
        "opened_by": "line judge",
        "closed_by": None,
        "changed_by": None,
        "changed_at": None,
    }


async def test_an_end_is_closed_by_whoever_closes_it(
    client: AsyncClient, pool: Pool, opened: Opened
) -> None:
    field = await held(client, pool)
    first, second = [await judge_named(opened, pool, name) for name in ("first", "second")]
    url = f"{API}/session/{field.session['id']}/end"
    end = data(await first.post(url, json={"opened_at": at(1)}))
    done = data(await second.post(f"{API}/end/{end['id']}/close", json={"closed_at": at(3)}))
    assert (done["opened_at"], done["closed_at"]) == (at(1), at(3))
    assert (done["opened_by"], done["closed_by"]) == ("first", "second")
    assert data(await client.get(f"{API}/end/{end['id']}")) == done


async def test_the_token_of_the_environment_has_no_other_name(
    client: AsyncClient, pool: Pool
) -> None:
    field = await held(client, pool)
    end = await closing(client, await opening(client, field))
    assert (end["opened_by"], end["closed_by"]) == ("environment", "environment")


async def test_opening_and_closing_at_once_is_possible(client: AsyncClient, pool: Pool) -> None:
    field = await held(client, pool)
    first = await closing(client, await opening(client, field))
    second = await opening(client, field)
    assert first["closed_at"] <= second["opened_at"]
    assert (first["number"], second["number"]) == (1, 2)


async def test_an_end_may_be_opened_between_others_when_it_is_over(
    client: AsyncClient, pool: Pool
) -> None:
    field = await held(client, pool)
    for number, begin in ((1, 1), (3, 9)):
        await opening(client, field, number=number, opened_at=at(begin), closed_at=at(begin + 2))
    between = await opening(client, field, opened_at=at(5), closed_at=at(7))
    assert between["number"] == 2
    assert [end["number"] for end in await listed(client, field)] == [1, 2, 3]


async def test_what_is_shot_from_there_on_is_derived_anew(client: AsyncClient, pool: Pool) -> None:
    field = await held(client, pool)
    target = field.target["id"]

    async def since_and_until() -> tuple[Any, Any]:
        changed = (await asked(pool))[target]
        assert isinstance(changed, Asked)
        return changed.since, changed.until

    minute = timedelta(minutes=1)
    end = await opening(client, field, opened_at=at(1))
    assert await since_and_until() == (BEGIN + minute, None)
    await closing(client, end, closed_at=at(3))
    assert await since_and_until() == (BEGIN + 3 * minute - timedelta(milliseconds=1), None)
    second = await opening(client, field, opened_at=at(5))
    await asked(pool)
    await client.patch(f"{API}/end/{end['id']}", json={"opened_at": at(0.5)})
    assert await since_and_until() == (BEGIN + minute / 2, BEGIN + 5 * minute)
    await client.delete(f"{API}/end/{second['id']}")
    assert await since_and_until() == (BEGIN + 5 * minute, None)


async def test_viewers_are_told_at_once(client: AsyncClient, pool: Pool, valkey: Redis) -> None:
    field = await held(client, pool)
    end = await opening(client, field, opened_at=at(1))
    await closing(client, end, closed_at=at(3))
    await client.patch(f"{API}/end/{end['id']}", json={"closed_at": None})
    await client.patch(f"{API}/end/{end['id']}", json={"closed_at": None})
    await client.delete(f"{API}/end/{end['id']}")
    frames = await told(valkey, field)
    kinds = ["end.opened", "end.closed", "end.opened", "end.closed"]
    assert [kind for kind, _ in frames] == kinds
    assert all(f'"id":"{end["id"]}"' in text for _, text in frames)


async def test_times_are_put_right_and_it_is_kept_who_did_so(
    client: AsyncClient, pool: Pool, opened: Opened
) -> None:
    _, first, _ = await two_ends(client, pool)
    judge = await judge_named(opened, pool, "chief")
    end = data(await judge.patch(f"{API}/end/{first['id']}", json={"closed_at": at(4)}))
    assert (end["opened_at"], end["closed_at"]) == (at(1), at(4))
    assert (end["opened_by"], end["closed_by"], end["changed_by"]) == (
        "environment",
        "environment",
        "chief",
    )
    assert end["changed_at"] == end["updated_at"]


async def test_nothing_that_changes_is_no_change(client: AsyncClient, pool: Pool) -> None:
    _, first, _ = await two_ends(client, pool)
    assert data(await client.patch(f"{API}/end/{first['id']}", json={})) == first
    assert await asked(pool) == {}


async def test_who_closes_an_end_by_its_times_closed_it(
    client: AsyncClient, pool: Pool, opened: Opened
) -> None:
    _, _, last = await two_ends(client, pool)
    judge = await judge_named(opened, pool, "chief")
    again = data(await judge.patch(f"{API}/end/{last['id']}", json={"closed_at": None}))
    assert (again["closed_at"], again["closed_by"]) == (None, None)
    over = data(await judge.patch(f"{API}/end/{last['id']}", json={"closed_at": at(8)}))
    assert over["closed_by"] == "chief"


async def test_the_last_end_is_taken_back(client: AsyncClient, pool: Pool) -> None:
    field, first, last = await two_ends(client, pool)
    said = failure(await client.delete(f"{API}/end/{first['id']}"))
    sentence = "end 1: cannot be deleted: end 2 follows it; delete that first"
    assert said == (409, [sentence])
    assert data(await client.delete(f"{API}/end/{last['id']}")) is None
    assert await listed(client, field) == [first]


@pytest.mark.parametrize(
    ("wish", "status", "sentence"),
    [
        ({"opened_at": at(6)}, 409, f"body.opened_at: end 2 was closed at {at(7)}"),
        ({"opened_at": at(0)}, 409, "body.number: end 1 exists already"),
        ({"number": 2}, 409, "body.number: end 2 exists already"),
        ({"number": 5}, 409, "body.number: is 5, and the session has 4 ends"),
        ({"number": 0}, 422, "body.number: must be greater than or equal to 1"),
        ({"opened_at": at(-1)}, 422, "body.opened_at: must lie within the session's start and end"),
        ({"opened_at": "2199-01-01T00:00:00Z"}, 422, "body.opened_at: must not lie ahead: it is "),
        ({"opened_at": "noon"}, 422, "body.opened_at: must be an RFC 3339 time with a zone"),
        ({"opened_at": at(9), "closed_at": at(8)}, 422, "body.closed_at: must not lie before"),
        ({"action": "open"}, 422, "body.action: is not a known field"),
    ],
)
async def test_an_end_that_cannot_be_is_not_opened(
    client: AsyncClient, pool: Pool, wish: Json, status: int, sentence: str
) -> None:
    field, first, second = await two_ends(client, pool)
    answer = await client.post(f"{API}/session/{field.session['id']}/end", json=wish)
    code, (said,) = failure(answer)
    assert code == status
    assert said.startswith(sentence)
    assert (await listed(client, field), await asked(pool)) == ([first, second], {})


async def test_only_one_end_is_open(client: AsyncClient, pool: Pool) -> None:
    field = await held(client, pool)
    await opening(client, field, opened_at=at(1))
    answer = await client.post(f"{API}/session/{field.session['id']}/end", json={})
    assert failure(answer) == (409, ["end 1: is open; close it first"])


async def test_an_end_is_closed_once(client: AsyncClient, pool: Pool) -> None:
    _, first, _ = await two_ends(client, pool)
    said = failure(await client.post(f"{API}/end/{first['id']}/close", json={}))
    assert said == (409, ["end 1: is closed already; its times can be changed"])


async def test_an_end_closes_at_the_latest_when_the_session_ends(
    client: AsyncClient, pool: Pool
) -> None:
    field = await held(client, pool)
    end = await opening(client, field, opened_at=at(1))
    session = f"{API}/session/{field.session['id']}"
    await client.patch(session, json={"is_opened": False, "end_time": at(60)})
    late = await client.post(f"{API}/end/{end['id']}/close", json={"closed_at": at(61)})
    sentence = "body.closed_at: must lie within the session's start and end"
    assert failure(late) == (422, [sentence])
    assert (await closing(client, end))["closed_at"] == at(60)
    assert failure(await client.post(f"{session}/end", json={}))[0] == 422


@pytest.mark.parametrize(
    ("number", "wish", "status", "sentence"),
    [
        (1, {"closed_at": at(6)}, 409, f"body.closed_at: end 2 was opened at {at(5)}"),
        (1, {"closed_at": None}, 409, f"body.closed_at: end 2 was opened at {at(5)}"),
        (2, {"opened_at": at(2)}, 409, f"body.opened_at: end 1 was closed at {at(3)}"),
        (2, {"opened_at": at(8)}, 422, "body.closed_at: must not lie before opened_at"),
        (1, {"opened_at": at(-1)}, 422, "body.opened_at: must lie within the session's start"),
        (1, {"number": 7}, 422, "body.number: is not a known field"),
    ],
)
async def test_times_that_cannot_be_are_refused(
    client: AsyncClient, pool: Pool, number: int, wish: Json, status: int, sentence: str
) -> None:
    field, first, second = await two_ends(client, pool)
    end = (first, second)[number - 1]
    code, (said,) = failure(await client.patch(f"{API}/end/{end['id']}", json=wish))
    assert code == status
    assert said.startswith(sentence)
    assert (await listed(client, field), await asked(pool)) == ([first, second], {})


def everything(session_id: str, end_id: str) -> list[tuple[str, str]]:
    """All that a judge may do to ends."""
    return [
        ("POST", f"{API}/session/{session_id}/end"),
        ("POST", f"{API}/end/{end_id}/close"),
        ("PATCH", f"{API}/end/{end_id}"),
        ("DELETE", f"{API}/end/{end_id}"),
    ]


async def refusals(
    client: AsyncClient, requests: list[tuple[str, str]]
) -> list[tuple[int, list[str]]]:
    """What each of the requests is refused with."""
    return [
        failure(await client.request(method, url, json=None if method == "DELETE" else {}))
        for method, url in requests
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.GATEWAY, Role.READER])
async def test_only_judges_control_ends(
    client: AsyncClient, pool: Pool, as_role: AsRole, role: Role
) -> None:
    field, first, _ = await two_ends(client, pool)
    requests = everything(field.session["id"], first["id"])
    said = await refusals(await as_role(role), requests)
    assert said == [(403, [f"Authorization: the role {role} may not do this"])] * 4


async def test_nobody_controls_ends_without_a_token(
    client: AsyncClient, pool: Pool, anonymous: AsyncClient
) -> None:
    field, first, _ = await two_ends(client, pool)
    said = await refusals(anonymous, everything(field.session["id"], first["id"]))
    assert said == [(401, ["Authorization: a bearer token is needed"])] * 4


async def test_what_is_not_known_is_not_found(client: AsyncClient) -> None:
    said = await refusals(client, everything(UNKNOWN, UNKNOWN))
    end = (404, [f"end {UNKNOWN}: not found"])
    assert said == [(404, [f"session {UNKNOWN}: not found"]), end, end, end]
    assert failure(await client.get(f"{API}/end/{UNKNOWN}")) == end
    assert failure(await client.get(f"{API}/session/{UNKNOWN}/end")) == said[0]


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"arrows_per_end": 3, "end_control": "auto"}, "session.rules.end_control: is auto"),
        ({"arrows_per_end": None}, "session.rules.arrows_per_end: is not set"),
    ],
)
async def test_where_no_judge_controls_ends_none_does(
    client: AsyncClient, pool: Pool, rules: Json, sentence: str
) -> None:
    field, first, _ = await two_ends(client, pool)
    await client.patch(f"{API}/session/{field.session['id']}", json={"rules": rules})
    said = await refusals(client, everything(field.session["id"], first["id"]))
    assert [code for code, _ in said] == [409] * 4
    assert all(errors[0].startswith(sentence) for _, errors in said)
    assert await listed(client, field) == []


async def test_an_end_by_count_is_listed_and_no_judge_changes_it(
    client: AsyncClient, pool: Pool
) -> None:
    field = await held(client, pool, rules={"arrows_per_end": 3})
    async with pool.acquire() as conn:
        end_id = await conn.fetchval(
            AUTO_INSERT, field.target["id"], 1, BEGIN, BEGIN + timedelta(minutes=2)
        )
    (end,) = await listed(client, field)
    assert (end["id"], end["target_id"], end["control"]) == (
        str(end_id),
        field.target["id"],
        "auto",
    )
    assert (end["opened_at"], end["closed_at"], end["opened_by"]) == (at(0), at(2), None)
    await client.patch(f"{API}/session/{field.session['id']}", json={"rules": MANUAL})
    said = await refusals(client, everything(field.session["id"], str(end_id))[1:])
    assert said == [(409, ["end 1: was opened by the count of the arrows"])] * 3


async def test_ends_are_listed_by_their_opening_page_by_page(
    client: AsyncClient, pool: Pool
) -> None:
    field, first, second = await two_ends(client, pool)
    url = f"{API}/session/{field.session['id']}/end"
    page = data(await client.get(url, params={"limit": "1"}))
    assert page["items"] == [first]
    rest = data(await client.get(url, params={"limit": "1", "cursor": page["next_cursor"]}))
    assert rest == {"items": [second], "next_cursor": None}


async def test_ends_of_a_target_are_its_own_and_everyones(client: AsyncClient, pool: Pool) -> None:
    field, first, second = await two_ends(client, pool)
    assert await listed(client, field, target_id=UNKNOWN) == [first, second]
    await client.patch(
        f"{API}/session/{field.session['id']}", json={"rules": {"end_control": "auto"}}
    )
    async with pool.acquire() as conn:
        await conn.fetchval(AUTO_INSERT, field.target["id"], 1, BEGIN, None)
    assert await listed(client, field, target_id=UNKNOWN) == []
    assert len(await listed(client, field, target_id=field.target["id"])) == 1


async def test_ends_are_as_public_as_the_results(
    client: AsyncClient, pool: Pool, anonymous: AsyncClient, as_role: AsRole
) -> None:
    field, first, second = await two_ends(client, pool)
    assert await listed(anonymous, field) == [first, second]
    assert data(await anonymous.get(f"{API}/end/{first['id']}")) == first
    await client.patch(f"{API}/session/{field.session['id']}", json={"results_public": False})
    urls = [f"{API}/session/{field.session['id']}/end", f"{API}/end/{first['id']}"]
    assert [(await anonymous.get(url)).status_code for url in urls] == [401, 401]
    gateway, viewer = await as_role(Role.GATEWAY), await as_role(Role.VIEWER)
    assert [(await gateway.get(url)).status_code for url in urls] == [403, 403]
    assert [(await viewer.get(url)).status_code for url in urls] == [200, 200]


async def test_a_session_with_ends_and_no_shots_can_be_deleted(
    client: AsyncClient, pool: Pool
) -> None:
    field, first, _ = await two_ends(client, pool)
    assert data(await client.delete(f"{API}/session/{field.session['id']}")) is None
    assert failure(await client.get(f"{API}/end/{first['id']}"))[0] == 404
