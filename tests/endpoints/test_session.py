"""Sessions over HTTP."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from core.feed import stream_key
from core.postgres import Pool
from core.schema.token import Role
from core.schema.types import rfc3339
from tests.butts import add_shot, set_up
from tests.endpoints.conftest import AsRole
from tests.resources import (
    START,
    UNKNOWN,
    asked,
    data,
    failure,
    make,
    put_up,
    say,
    session_fields,
    target_fields,
)

URL = "/api/v0/session"
DEFAULT_RULES = {
    "association_window_ms": 1000,
    "hold_max_ms": 60000,
    "landing_window_ms": 3000,
    "late_grace_ms": 500,
    "debounce_ms": 150,
    "line_rule": "inclusive",
    "arrows_per_end": None,
    "ends": None,
    "end_control": "auto",
}
AN_HOUR_LATER = rfc3339(START + timedelta(hours=1))
AN_HOUR_EARLIER = rfc3339(START - timedelta(hours=1))


async def test_the_shortest_wish_makes_an_open_session_with_the_usual_rules(
    client: AsyncClient,
) -> None:
    made = await make(client, "session", session_fields())
    created_at, updated_at = made.pop("created_at"), made.pop("updated_at")
    assert UUID(made.pop("id")) and created_at == updated_at
    assert made == {
        "is_opened": True,
        "name": None,
        "location": "range A",
        "kind": "practice",
        "start_time": "2026-05-01T10:00:00.000Z",
        "end_time": None,
        "is_indoor": False,
        "distance": 18.0,
        "round_code": None,
        "results_public": True,
        "rules": DEFAULT_RULES,
    }


async def test_a_rule_that_is_given_leaves_the_others_as_usual(client: AsyncClient) -> None:
    made = await make(client, "session", session_fields(rules={"landing_window_ms": 5000}))
    assert made["rules"] == DEFAULT_RULES | {"landing_window_ms": 5000}


async def test_a_session_that_is_over_is_made_with_its_end(client: AsyncClient) -> None:
    made = await make(client, "session", session_fields(is_opened=False, end_time=AN_HOUR_LATER))
    assert (made["is_opened"], made["end_time"]) == (False, AN_HOUR_LATER)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "open with an end": (
        {"end_time": AN_HOUR_LATER},
        "body.is_opened: must be false when there is an end_time",
    ),
    "closed without an end": (
        {"is_opened": False},
        "body.end_time: is missing, and a session that is not opened has ended",
    ),
    "ended before it began": (
        {"is_opened": False, "end_time": AN_HOUR_EARLIER},
        "body.end_time: must not lie before start_time",
    ),
    "no distance": ({"distance": 0}, "body.distance: must be greater than 0"),
    "a distance that nobody shoots at": (
        {"distance": 1000.5},
        "body.distance: must be less than or equal to 1000",
    ),
    "distance as text": ({"distance": "18"}, "body.distance: must be a number"),
    "a flag as a number": ({"is_indoor": 0}, "body.is_indoor: must be true or false"),
    "time without zone": (
        {"start_time": "2026-05-01T10:00:00"},
        "body.start_time: must have a time zone, such as Z",
    ),
    "time as a number in a text": (
        {"start_time": "1777629600"},
        "body.start_time: must be an RFC 3339 time with a zone, as text",
    ),
    "unknown kind": ({"kind": "party"}, "body.kind: must be 'practice' or 'tournament'"),
    "unknown field": ({"colour": "red"}, "body.colour: is not a known field"),
    "unknown rule": ({"rules": {"speed": 1}}, "body.rules.speed: is not a known field"),
    "window too short": (
        {"rules": {"landing_window_ms": 99}},
        "body.rules.landing_window_ms: must be greater than or equal to 100",
    ),
    "rule as null": (
        {"rules": {"hold_max_ms": None}},
        "body.rules.hold_max_ms: must be a whole number",
    ),
}


async def test_what_contradicts_itself_is_refused_with_its_field(client: AsyncClient) -> None:
    said = {
        name: failure(await client.post(URL, json=session_fields() | wrong))
        for name, (wrong, _) in WRONG.items()
    }
    assert said == {name: (422, [sentence]) for name, (_, sentence) in WRONG.items()}


async def test_every_field_that_is_missing_is_named(client: AsyncClient) -> None:
    names = ("is_opened", "start_time", "location", "is_indoor", "distance")
    errors = [f"body.{name}: is missing" for name in names]
    assert failure(await client.post(URL, json={})) == (422, errors)


async def test_a_change_leaves_what_it_does_not_name(client: AsyncClient) -> None:
    made = await make(client, "session", session_fields(name="Evening", rules={"ends": 12}))
    changed = data(await client.patch(f"{URL}/{made['id']}", json={"distance": 70.5}))
    assert changed | {"updated_at": None} == made | {"distance": 70.5, "updated_at": None}
    assert changed["updated_at"] > made["updated_at"]


async def test_a_rule_is_changed_alone(client: AsyncClient) -> None:
    made = await make(client, "session", session_fields(rules={"ends": 12, "arrows_per_end": 3}))
    wish = {"rules": {"arrows_per_end": None, "line_rule": "must_cut"}}
    changed = data(await client.patch(f"{URL}/{made['id']}", json=wish))
    assert changed["rules"] == DEFAULT_RULES | {"ends": 12, "line_rule": "must_cut"}


async def test_closing_without_an_end_ends_it_now(client: AsyncClient) -> None:
    made = await make(client, "session", session_fields())
    before = rfc3339(datetime.now(UTC))
    closed = data(await client.patch(f"{URL}/{made['id']}", json={"is_opened": False}))
    assert closed["is_opened"] is False
    assert before <= closed["end_time"] <= rfc3339(datetime.now(UTC))


async def test_an_end_closes_it(client: AsyncClient) -> None:
    made = await make(client, "session", session_fields())
    closed = data(await client.patch(f"{URL}/{made['id']}", json={"end_time": AN_HOUR_LATER}))
    assert (closed["is_opened"], closed["end_time"]) == (False, AN_HOUR_LATER)


@pytest.mark.parametrize("wish", [{"is_opened": True}, {"end_time": None}])
async def test_a_session_is_opened_again(client: AsyncClient, wish: dict[str, Any]) -> None:
    over = session_fields(is_opened=False, end_time=AN_HOUR_LATER)
    made = await make(client, "session", over)
    opened = data(await client.patch(f"{URL}/{made['id']}", json=wish))
    assert (opened["is_opened"], opened["end_time"]) == (True, None)


WRONG_CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "open with an end": (
        {"is_opened": True, "end_time": AN_HOUR_LATER},
        "body.is_opened: must be false when there is an end_time",
    ),
    "closed with no end": (
        {"is_opened": False, "end_time": None},
        "body.end_time: must not be null when is_opened is false",
    ),
    "end before start": (
        {"end_time": AN_HOUR_EARLIER},
        "body.end_time: must not lie before start_time",
    ),
    "start after end": (
        {"start_time": rfc3339(START + timedelta(hours=2))},
        "body.start_time: must not lie after end_time",
    ),
    "null where something must be": ({"location": None}, "body.location: must be text"),
    "rules as null": ({"rules": None}, "body.rules: must be a JSON object"),
    "id": ({"id": UNKNOWN}, "body.id: is not a known field"),
}


async def test_a_change_that_contradicts_itself_is_refused_with_its_field(
    client: AsyncClient,
) -> None:
    over = session_fields(is_opened=False, end_time=AN_HOUR_LATER)
    made = await make(client, "session", over)
    said = {
        name: failure(await client.patch(f"{URL}/{made['id']}", json=wrong))
        for name, (wrong, _) in WRONG_CHANGES.items()
    }
    assert said == {name: (422, [sentence]) for name, (_, sentence) in WRONG_CHANGES.items()}


async def test_a_change_that_changes_nothing_leaves_no_trace(
    client: AsyncClient, pool: Pool
) -> None:
    field = await put_up(client)
    await asked(pool)
    wish = {"distance": 18, "rules": {"debounce_ms": 150}, "is_opened": True}
    assert data(await client.patch(f"{URL}/{field.session['id']}", json=wish)) == field.session
    assert await asked(pool) == {}


@pytest.mark.parametrize(
    "wish",
    [
        {"rules": {"line_rule": "must_cut"}},
        {"start_time": AN_HOUR_LATER},
        {"is_opened": False},
        {"distance": 70},
        {"is_indoor": True},
    ],
)
async def test_what_shots_depend_on_has_them_derived_anew(
    client: AsyncClient, pool: Pool, wish: dict[str, Any]
) -> None:
    field = await put_up(client)
    second = await make(client, "target", target_fields(field.session["id"], lane=2))
    await asked(pool)
    data(await client.patch(f"{URL}/{field.session['id']}", json=wish))
    assert set(await asked(pool)) == {field.target["id"], second["id"]}


async def test_a_name_has_nothing_derived_anew(client: AsyncClient, pool: Pool) -> None:
    field = await put_up(client)
    await asked(pool)
    wish = {"name": "Final", "location": "hall", "results_public": False, "kind": "tournament"}
    data(await client.patch(f"{URL}/{field.session['id']}", json=wish))
    assert await asked(pool) == {}


async def test_changes_at_the_same_time_do_not_undo_each_other(client: AsyncClient) -> None:
    made = await make(client, "session", session_fields())
    wishes: list[dict[str, Any]] = [
        {"name": "Final"},
        {"location": "hall"},
        {"distance": 70},
        {"round_code": "WA720"},
        {"rules": {"ends": 6}},
        {"rules": {"arrows_per_end": 6}},
    ]
    await asyncio.gather(*(client.patch(f"{URL}/{made['id']}", json=wish) for wish in wishes))
    now = data(await client.get(f"{URL}/{made['id']}"))
    told = (now["name"], now["location"], now["distance"], now["round_code"])
    assert told == ("Final", "hall", 70.0, "WA720")
    assert (now["rules"]["ends"], now["rules"]["arrows_per_end"]) == (6, 6)


async def test_viewers_are_told_when_it_closes_and_opens(
    client: AsyncClient, valkey: Redis
) -> None:
    made = await make(client, "session", session_fields())
    for is_opened in (False, False, True):
        await client.patch(f"{URL}/{made['id']}", json={"is_opened": is_opened})
    told = await valkey.xrange(stream_key(made["id"]))
    kinds = [fields[b"h"].split(b'"')[3].decode() for _, fields in told]
    assert kinds == ["session.closed", "session.opened"]


async def test_an_earlier_start_takes_readers_along_that_were_there_from_the_start(
    client: AsyncClient,
) -> None:
    field = await put_up(client)
    bow = await make(
        client, "reader", {"kind": "bow", "name": "a bow", "slot_id": field.slot["id"]}
    )
    data(await client.patch(f"{URL}/{field.session['id']}", json={"start_time": AN_HOUR_EARLIER}))
    reader = data(await client.get(f"/api/v0/reader/{bow['id']}"))
    assert reader["bound_from"] == AN_HOUR_EARLIER


async def test_sessions_are_listed_in_the_order_of_their_creation(client: AsyncClient) -> None:
    made = [await make(client, "session", session_fields(name=str(n))) for n in range(5)]
    found: list[Any] = []
    cursor: str | None = None
    while not found or cursor:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = data(await client.get(URL, params=query))
        found, cursor = found + page["items"], page["next_cursor"]
    assert found == made


async def test_open_sessions_are_listed_alone(client: AsyncClient) -> None:
    opened = await make(client, "session", session_fields())
    over = await make(client, "session", session_fields(is_opened=False, end_time=AN_HOUR_LATER))
    for is_opened, expected in (("true", opened), ("false", over)):
        page = data(await client.get(URL, params={"is_opened": is_opened}))
        assert page == {"items": [expected], "next_cursor": None}


async def test_a_public_session_is_readable_without_a_token(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    made = await make(client, "session", session_fields())
    assert data(await anonymous.get(f"{URL}/{made['id']}")) == made


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.READER, 403), (Role.GATEWAY, 403), (Role.VIEWER, 200), (Role.JUDGE, 200)],
)
async def test_a_session_that_is_not_public_is_for_whoever_has_the_role(
    client: AsyncClient, as_role: AsRole, role: Role, status: int
) -> None:
    made = await make(client, "session", session_fields(results_public=False))
    assert (await (await as_role(role)).get(f"{URL}/{made['id']}")).status_code == status


async def test_a_session_that_is_not_public_needs_a_token(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    made = await make(client, "session", session_fields(results_public=False))
    said = failure(await anonymous.get(f"{URL}/{made['id']}"))
    assert said == (401, ["Authorization: a bearer token is needed"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_session_is_not_found(client: AsyncClient, method: str) -> None:
    answer = await client.request(
        method, f"{URL}/{UNKNOWN}", json={} if method == "PATCH" else None
    )
    assert failure(answer) == (404, [f"session {UNKNOWN}: not found"])


async def test_deleting_takes_its_places_along_and_leaves_its_readers(client: AsyncClient) -> None:
    field = await put_up(client)
    bow = await make(
        client, "reader", {"kind": "bow", "name": "a bow", "slot_id": field.slot["id"]}
    )
    assert data(await client.delete(f"{URL}/{field.session['id']}")) is None
    gone = [
        f"{URL}/{field.session['id']}",
        f"/api/v0/target/{field.target['id']}",
        f"/api/v0/slot/{field.slot['id']}",
    ]
    assert [(await client.get(url)).status_code for url in gone] == [404, 404, 404]
    reader = data(await client.get(f"/api/v0/reader/{bow['id']}"))
    assert (reader["slot_id"], reader["target_id"], reader["bound_from"]) == (None, None, None)


async def test_a_session_with_shots_is_not_deleted(client: AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn)
        await add_shot(conn, butts, 0, 10)
    said = failure(await client.delete(f"{URL}/{butts.session_id}"))
    assert said == (409, ["session: cannot be deleted: it has shots; end it instead"])


async def test_a_session_in_which_a_reader_spoke_is_not_deleted(
    client: AsyncClient, pool: Pool
) -> None:
    field = await put_up(client)
    bow = await make(
        client, "reader", {"kind": "bow", "name": "a bow", "slot_id": field.slot["id"]}
    )
    async with pool.acquire() as conn:
        await say(conn, bow["id"], 10)
    said = failure(await client.delete(f"{URL}/{field.session['id']}"))
    sentence = "session: cannot be deleted: it has events of its readers; end it instead"
    assert said == (409, [sentence])
