"""Readers over HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient

from core.inbox import partition_key
from core.postgres import Pool
from core.schema.types import rfc3339
from tests.endpoints.conftest import Opened
from tests.resources import (
    START,
    UNKNOWN,
    Json,
    Range,
    asked,
    data,
    failure,
    make,
    put_up,
    session_fields,
    target_fields,
)

URL = "/api/v0/reader"
STATUS_INSERT = """
INSERT INTO reader_status (reader_id, last_heard_at, is_online, battery_pct, firmware, buffered)
VALUES ($1, $2, true, 81.5, '1.2.3', 4)
"""
CLOCK_INSERT = """
INSERT INTO reader_clock (reader_id, source, offset_ms, measured_at, suspect, jumped_at, state)
VALUES ($1, 'reader', -61000.25, $3, 'implausible', $2, '{}'), ($1, 'gateway', 3, $3, null, null, '{}')
"""


def at(minute: float) -> str:
    """A time so many minutes after the usual start."""
    return rfc3339(START + timedelta(minutes=minute))


async def make_reader(client: AsyncClient, kind: str = "bow", **others: object) -> Json:
    """A reader."""
    return await make(client, "reader", {"kind": kind, "name": f"a {kind} reader"} | others)


async def move(client: AsyncClient, reader: Json, **wish: object) -> Json:
    """The reader after a change."""
    moved: Json = data(await client.patch(f"{URL}/{reader['id']}", json=wish))
    return moved


async def close(client: AsyncClient, field: Range, minute: float) -> None:
    """End the field's session so many minutes after its start."""
    wish = {"end_time": at(minute)}
    data(await client.patch(f"/api/v0/session/{field.session['id']}", json=wish))


async def test_a_reader_is_made_without_a_place(client: AsyncClient) -> None:
    made = await make_reader(client)
    assert UUID(made.pop("id")) and made.pop("created_at") == made.pop("updated_at")
    assert len(made.pop("token")) >= 43
    assert made == {
        "kind": "bow",
        "name": "a bow reader",
        "slot_id": None,
        "target_id": None,
        "bound_from": None,
        "is_online": False,
        "last_heard_at": None,
        "battery_pct": None,
        "firmware": None,
        "buffered": None,
        "clock": None,
    }


async def test_a_token_is_shown_once(client: AsyncClient) -> None:
    made = await make_reader(client)
    del made["token"]
    assert data(await client.get(f"{URL}/{made['id']}")) == made


async def test_a_readers_token_lets_it_speak(client: AsyncClient, opened: Opened) -> None:
    field = await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    speaker = await opened(made["token"])
    answer = await speaker.post(f"{URL}/heartbeat", json={"readers": [{"battery_pct": 90}]})
    assert data(answer) == {"accepted": 1}


async def test_a_bow_reader_at_a_slot_is_at_the_slots_target_from_the_start(
    client: AsyncClient,
) -> None:
    field = await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    told = (made["slot_id"], made["target_id"], made["bound_from"])
    assert told == (field.slot["id"], field.target["id"], at(0))


async def test_a_target_reader_is_at_a_target_from_the_time_that_is_given(
    client: AsyncClient,
) -> None:
    field = await put_up(client)
    target_id = field.target["id"]
    made = await make_reader(client, "target", target_id=target_id, bound_from=at(5))
    told = (made["slot_id"], made["target_id"], made["bound_from"])
    assert told == (None, target_id, at(5))


@pytest.mark.parametrize("place", ["slot", "target"])
async def test_an_arrow_reader_is_at_either(client: AsyncClient, place: str) -> None:
    field = await put_up(client)
    wish = {f"{place}_id": getattr(field, place)["id"]}
    made = await make_reader(client, "arrow", **wish)
    is_at_slot = made["slot_id"] is not None
    assert (made["target_id"], is_at_slot) == (field.target["id"], place == "slot")


MISFITS: dict[str, tuple[Json, str]] = {
    "bow at a target": (
        {"kind": "bow", "target_id": UNKNOWN},
        "body.target_id: a bow reader is bound to a slot",
    ),
    "target reader at a slot": (
        {"kind": "target", "slot_id": UNKNOWN},
        "body.slot_id: a target reader is bound to a target",
    ),
    "both": (
        {"kind": "arrow", "slot_id": UNKNOWN, "target_id": UNKNOWN},
        "body.target_id: a reader is bound to a slot or to a target, not to both",
    ),
    "a time without a place": (
        {"kind": "bow", "bound_from": at(0)},
        "body.bound_from: there is no slot_id or target_id to be bound to",
    ),
    "no such slot": ({"kind": "bow", "slot_id": UNKNOWN}, "body.slot_id: no such slot"),
    "no such target": (
        {"kind": "arrow", "target_id": UNKNOWN},
        "body.target_id: no such target",
    ),
    "no such kind": ({"kind": "camera"}, "body.kind: must be 'arrow', 'bow' or 'target'"),
}


async def test_what_cannot_be_is_refused_with_its_field(client: AsyncClient) -> None:
    said = {
        name: failure(await client.post(URL, json={"name": "a reader"} | wrong))
        for name, (wrong, _) in MISFITS.items()
    }
    assert said == {name: (422, [sentence]) for name, (_, sentence) in MISFITS.items()}
    assert data(await client.get(URL))["items"] == []


async def test_a_reader_shows_how_it_fares(client: AsyncClient, pool: Pool) -> None:
    made = await make_reader(client)
    async with pool.acquire() as conn:
        await conn.execute(STATUS_INSERT, made["id"], START)
    reader = data(await client.get(f"{URL}/{made['id']}"))
    names = ("is_online", "last_heard_at", "battery_pct", "firmware", "buffered")
    assert [reader[name] for name in names] == [True, at(0), 81.5, "1.2.3", 4]


async def test_a_reader_shows_its_own_clock_before_its_gateways(
    client: AsyncClient, pool: Pool
) -> None:
    made = await make_reader(client)
    async with pool.acquire() as conn:
        await conn.execute(CLOCK_INSERT, made["id"], START, START + timedelta(minutes=1))
    shown = {
        "offset_ms": -61_000.25,
        "measured_at": at(1),
        "suspect": "implausible",
        "jumped_at": at(0),
    }
    assert data(await client.get(f"{URL}/{made['id']}"))["clock"] == shown
    assert [reader["clock"] for reader in data(await client.get(URL))["items"]] == [shown]
    assert (await move(client, made, name="renamed"))["clock"] == shown


async def test_a_name_alone_moves_nothing(client: AsyncClient, pool: Pool) -> None:
    field = await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    await asked(pool)
    renamed = await move(client, made, name="another")
    assert (renamed["name"], renamed["bound_from"]) == ("another", made["bound_from"])
    assert await asked(pool) == {}


async def test_the_place_that_it_has_already_moves_nothing(client: AsyncClient, pool: Pool) -> None:
    field = await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    del made["token"]
    await asked(pool)
    assert await move(client, made, slot_id=field.slot["id"]) == made
    assert await asked(pool) == {}


async def test_in_the_middle_of_a_session_it_is_moved_now(client: AsyncClient) -> None:
    field, other = await put_up(client), await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    before = rfc3339(datetime.now(UTC))
    moved = await move(client, made, slot_id=other.slot["id"])
    assert (moved["slot_id"], moved["target_id"]) == (other.slot["id"], other.target["id"])
    assert before <= moved["bound_from"] <= rfc3339(datetime.now(UTC))
    assert moved["updated_at"] > made["updated_at"]


async def test_after_its_session_it_is_moved_from_the_end_of_that(client: AsyncClient) -> None:
    field, other = await put_up(client), await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    await close(client, field, 30)
    assert (await move(client, made, slot_id=other.slot["id"]))["bound_from"] == at(30)


async def test_after_its_session_it_is_moved_to_a_later_one_from_its_start(
    client: AsyncClient,
) -> None:
    field, other = await put_up(client), await put_up(client, start_time=at(60))
    made = await make_reader(client, slot_id=field.slot["id"])
    await close(client, field, 30)
    assert (await move(client, made, slot_id=other.slot["id"]))["bound_from"] == at(60)


async def test_a_reader_that_was_taken_away_is_bound_from_then_on(client: AsyncClient) -> None:
    field, other = await put_up(client), await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    nowhere = await move(client, made, slot_id=None, target_id=None, bound_from=at(20))
    assert (nowhere["slot_id"], nowhere["target_id"], nowhere["bound_from"]) == (None, None, None)
    assert (await move(client, made, slot_id=other.slot["id"]))["bound_from"] == at(20)


async def test_null_for_the_place_that_it_has_takes_it_away(client: AsyncClient) -> None:
    field = await put_up(client)
    made = await make_reader(client, "target", target_id=field.target["id"])
    assert (await move(client, made, target_id=None))["target_id"] is None


async def test_null_for_a_place_that_it_has_not_leaves_it(client: AsyncClient) -> None:
    field = await put_up(client)
    made = await make_reader(client, "arrow", target_id=field.target["id"])
    kept = await move(client, made, slot_id=None)
    assert (kept["target_id"], kept["bound_from"]) == (field.target["id"], at(0))


async def test_an_arrow_reader_goes_from_a_slot_to_a_target(client: AsyncClient) -> None:
    field = await put_up(client)
    made = await make_reader(client, "arrow", slot_id=field.slot["id"])
    moved = await move(client, made, target_id=field.target["id"])
    assert (moved["slot_id"], moved["target_id"]) == (None, field.target["id"])


WRONG_MOVES: dict[str, tuple[Json, str]] = {
    "to a target": ({"target_id": UNKNOWN}, "body.target_id: a bow reader is bound to a slot"),
    "to both": (
        {"target_id": UNKNOWN, "slot_id": UNKNOWN},
        "body.target_id: a reader is bound to a slot or to a target, not to both",
    ),
    "to nothing that is": ({"slot_id": UNKNOWN}, "body.slot_id: no such slot"),
    "from a time, to nothing": (
        {"bound_from": at(0)},
        "body.bound_from: say what it is bound to: slot_id or target_id",
    ),
    "to another kind": ({"kind": "arrow"}, "body.kind: is not a known field"),
    "without a name": ({"name": None}, "body.name: must be text"),
}


async def test_a_move_that_cannot_be_is_refused_with_its_field(client: AsyncClient) -> None:
    made = await make_reader(client)
    said = {
        name: failure(await client.patch(f"{URL}/{made['id']}", json=wrong))
        for name, (wrong, _) in WRONG_MOVES.items()
    }
    assert said == {name: (422, [sentence]) for name, (_, sentence) in WRONG_MOVES.items()}


async def test_a_move_has_both_targets_derived_anew_from_then_on(
    client: AsyncClient, pool: Pool
) -> None:
    field, other = await put_up(client), await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    await asked(pool)
    await move(client, made, slot_id=other.slot["id"], bound_from=at(20))
    wished = await asked(pool)
    assert set(wished) == {field.target["id"], other.target["id"]}
    owners = (field.target["id"], other.target["id"], made["id"])
    barriers = {partition_key(UUID(owner)) for owner in owners}
    for each in wished.values():
        assert each.since is not None and each.until is None
        # An arrow that is in the air by then flies a minute at most.
        assert timedelta() < START + timedelta(minutes=19) - each.since < timedelta(seconds=10)
        assert each.barriers == barriers


async def test_events_on_the_way_to_an_old_place_are_waited_for(
    client: AsyncClient, pool: Pool
) -> None:
    field, other = await put_up(client), await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    await move(client, made, slot_id=None, bound_from=at(20))
    await asked(pool)
    await move(client, made, slot_id=other.slot["id"])
    wished = await asked(pool)
    assert set(wished) == {other.target["id"]}
    barriers = wished[other.target["id"]].barriers
    assert partition_key(UUID(field.target["id"])) in barriers


async def test_a_new_reader_has_nothing_derived_anew(client: AsyncClient, pool: Pool) -> None:
    field = await put_up(client)
    await asked(pool)
    await make_reader(client, slot_id=field.slot["id"])
    assert await asked(pool) == {}


async def test_a_rotated_token_replaces_the_old_one(client: AsyncClient, opened: Opened) -> None:
    made = await make_reader(client)
    new = data(await client.post(f"{URL}/{made['id']}/rotate_token"))
    assert new.keys() == {"reader_id", "token"} and new["reader_id"] == made["id"]
    beat: Json = {"readers": [{}]}
    old_speaker, speaker = await opened(made["token"]), await opened(new["token"])
    assert (await old_speaker.post(f"{URL}/heartbeat", json=beat)).status_code == 401
    assert (await speaker.post(f"{URL}/heartbeat", json=beat)).status_code == 200


async def test_a_deleted_reader_is_gone_and_may_not_speak(
    client: AsyncClient, opened: Opened, pool: Pool
) -> None:
    field = await put_up(client)
    made = await make_reader(client, slot_id=field.slot["id"])
    await asked(pool)
    assert data(await client.delete(f"{URL}/{made['id']}")) is None
    assert set(await asked(pool)) == {field.target["id"]}
    assert data(await client.get(URL))["items"] == []
    speaker = await opened(made["token"])
    assert (await speaker.post(f"{URL}/heartbeat", json={"readers": [{}]})).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate_token")],
)
@pytest.mark.parametrize("is_deleted", [True, False])
async def test_an_unknown_or_deleted_reader_is_not_found(
    client: AsyncClient, method: str, path: str, is_deleted: bool
) -> None:
    reader_id = UNKNOWN
    if is_deleted:
        reader_id = (await make_reader(client))["id"]
        await client.delete(f"{URL}/{reader_id}")
    body = {"name": "x"} if method == "PATCH" else None
    answer = await client.request(method, f"{URL}/{reader_id}{path}", json=body)
    assert failure(answer) == (404, [f"reader {reader_id}: not found"])


async def test_readers_of_one_kind_or_session_are_listed_alone(client: AsyncClient) -> None:
    field, other = await put_up(client), await put_up(client)
    bow = await make_reader(client, slot_id=field.slot["id"])
    target = await make_reader(client, "target", target_id=field.target["id"])
    away = await make_reader(client, slot_id=other.slot["id"])
    for query, expected in (
        ({"kind": "bow"}, [bow, away]),
        ({"session_id": field.session["id"]}, [bow, target]),
        ({"session_id": field.session["id"], "kind": "target"}, [target]),
        ({"limit": "1000"}, [bow, target, away]),
    ):
        listed = data(await client.get(URL, params=query))["items"]
        assert [each["id"] for each in listed] == [each["id"] for each in expected]


async def test_a_place_in_a_session_to_come_is_shown(client: AsyncClient) -> None:
    later = rfc3339(datetime.now(UTC) + timedelta(days=1))
    session = await make(client, "session", session_fields(start_time=later))
    target = await make(client, "target", target_fields(session["id"]))
    made = await make_reader(client, "target", target_id=target["id"])
    assert (made["target_id"], made["bound_from"]) == (target["id"], later)
