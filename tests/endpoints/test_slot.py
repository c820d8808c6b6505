"""Slots over HTTP."""

from uuid import UUID

import pytest
from httpx import AsyncClient

from core.inbox import partition_key
from core.postgres import Pool
from tests.butts import add_shot, set_up
from tests.resources import (
    UNKNOWN,
    Json,
    asked,
    data,
    failure,
    make,
    put_up,
    say,
    session_fields,
    slot_fields,
    target_fields,
)

URL = "/api/v0/slot"


async def make_archer(client: AsyncClient) -> str:
    """The id of a new archer."""
    made = await make(client, "archer", {"given_name": "Eva", "family_name": "Sanz"})
    return str(made["id"])


async def test_a_slot_is_answered_whole(client: AsyncClient) -> None:
    field = await put_up(client)
    made = dict(field.slot)
    assert UUID(made.pop("id")) and made.pop("created_at") == made.pop("updated_at")
    assert made == {
        "session_id": field.session["id"],
        "target_id": field.target["id"],
        "letter": "A",
        "archer_id": field.archer["id"],
        "bow_id": None,
        "bowstyle": "recurve",
        "shaft_diameter_mm": 5.5,
    }


async def test_a_slot_is_read_as_made(client: AsyncClient) -> None:
    field = await put_up(client)
    assert data(await client.get(f"{URL}/{field.slot['id']}")) == field.slot


async def test_what_a_slot_refers_to_must_exist(client: AsyncClient) -> None:
    field = await put_up(client)
    usual = slot_fields(field.session["id"], field.target["id"], field.archer["id"], letter="B")
    names = ("session_id", "target_id", "archer_id", "bow_id")
    said = [failure(await client.post(URL, json=usual | {name: UNKNOWN})) for name in names]
    assert said == [
        (422, ["body.session_id: no such session"]),
        (422, ["body.target_id: no such target"]),
        (422, ["body.archer_id: no such archer"]),
        (422, ["body.bow_id: no such bow"]),
    ]


async def test_a_target_of_another_session_is_refused(client: AsyncClient) -> None:
    field = await put_up(client)
    other = await make(client, "session", session_fields())
    wish = slot_fields(other["id"], field.target["id"], field.archer["id"], letter="B")
    said = failure(await client.post(URL, json=wish))
    assert said == (422, ["body.target_id: stands in another session than the slot"])


async def test_another_archers_bow_is_refused(client: AsyncClient) -> None:
    field = await put_up(client)
    bow = await make(client, "bow", {"archer_id": await make_archer(client), "bowstyle": "recurve"})
    said = failure(await client.patch(f"{URL}/{field.slot['id']}", json={"bow_id": bow["id"]}))
    assert said == (422, ["body.bow_id: belongs to another archer than the slot"])


async def test_another_archer_comes_with_another_bow(client: AsyncClient) -> None:
    field = await put_up(client)
    bow = await make(client, "bow", {"archer_id": field.archer["id"], "bowstyle": "recurve"})
    url, other = f"{URL}/{field.slot['id']}", await make_archer(client)
    data(await client.patch(url, json={"bow_id": bow["id"]}))
    said = failure(await client.patch(url, json={"archer_id": other}))
    assert said == (422, ["body.bow_id: belongs to another archer than the slot"])
    changed = data(await client.patch(url, json={"archer_id": other, "bow_id": None}))
    assert (changed["archer_id"], changed["bow_id"]) == (other, None)


async def test_what_makes_no_slot_is_refused(client: AsyncClient) -> None:
    wish = slot_fields(UNKNOWN, UNKNOWN, UNKNOWN, letter="AB", bowstyle="gun", shaft_diameter_mm=-1)
    assert failure(await client.post(URL, json=wish)) == (
        422,
        [
            "body.letter: must match pattern '^[A-Z]$'",
            "body.bowstyle: must be 'recurve', 'compound', 'barebow', 'longbow' or 'traditional'",
            "body.shaft_diameter_mm: must be greater than 0",
        ],
    )


async def test_a_letter_stands_once_at_a_target(client: AsyncClient) -> None:
    field = await put_up(client)
    usual = slot_fields(field.session["id"], field.target["id"], await make_archer(client))
    refused = (409, ["body.letter: the target has a slot with this letter already"])
    assert failure(await client.post(URL, json=usual)) == refused
    second = await make(client, "slot", usual | {"letter": "B"})
    assert failure(await client.patch(f"{URL}/{second['id']}", json={"letter": "A"})) == refused


async def test_a_slot_stays_in_its_session(client: AsyncClient) -> None:
    field = await put_up(client)
    said = failure(await client.patch(f"{URL}/{field.slot['id']}", json={"session_id": UNKNOWN}))
    assert said == (422, ["body.session_id: is not a known field"])


async def test_a_change_leaves_what_it_does_not_name(client: AsyncClient) -> None:
    field = await put_up(client)
    changed = data(await client.patch(f"{URL}/{field.slot['id']}", json={"letter": "D"}))
    assert changed | {"updated_at": None} == field.slot | {"letter": "D", "updated_at": None}


async def test_a_new_slot_has_the_shots_of_its_target_derived_anew(
    client: AsyncClient, pool: Pool
) -> None:
    field = await put_up(client)
    assert set(await asked(pool)) == {field.target["id"]}


@pytest.mark.parametrize(
    ("wish", "is_asked"),
    [
        ({"letter": "C"}, True),
        ({"bowstyle": "longbow"}, True),
        ({"shaft_diameter_mm": 9.3}, True),
        ({"letter": "A", "bowstyle": "recurve", "shaft_diameter_mm": 5.5}, False),
        ({"bow_id": None}, False),
        ({}, False),
    ],
)
async def test_only_what_shots_depend_on_has_them_derived_anew(
    client: AsyncClient, pool: Pool, wish: Json, is_asked: bool
) -> None:
    field = await put_up(client)
    await asked(pool)
    data(await client.patch(f"{URL}/{field.slot['id']}", json=wish))
    assert set(await asked(pool)) == ({field.target["id"]} if is_asked else set())


async def test_a_slot_takes_its_readers_to_another_target(client: AsyncClient, pool: Pool) -> None:
    field = await put_up(client)
    bow = await make(
        client, "reader", {"kind": "bow", "name": "a bow", "slot_id": field.slot["id"]}
    )
    second = await make(client, "target", target_fields(field.session["id"], lane=2))
    await asked(pool)
    wish = {"target_id": second["id"]}
    data(await client.patch(f"{URL}/{field.slot['id']}", json=wish))
    reader = data(await client.get(f"/api/v0/reader/{bow['id']}"))
    assert (reader["slot_id"], reader["target_id"]) == (field.slot["id"], second["id"])
    wished = await asked(pool)
    assert set(wished) == {field.target["id"], second["id"]}
    owners = (field.target["id"], second["id"], bow["id"])
    barriers = {partition_key(UUID(owner)) for owner in owners}
    assert all(each.barriers == barriers for each in wished.values())


async def test_slots_of_one_session_or_target_are_listed_alone(client: AsyncClient) -> None:
    field = await put_up(client)
    await put_up(client)
    second = await make(client, "target", target_fields(field.session["id"], lane=2))
    wish = slot_fields(field.session["id"], second["id"], await make_archer(client))
    other = await make(client, "slot", wish)
    of_session = data(await client.get(URL, params={"session_id": field.session["id"]}))
    of_target = data(await client.get(URL, params={"target_id": second["id"]}))
    assert (of_session["items"], of_target["items"]) == ([field.slot, other], [other])


async def test_a_slot_is_deleted_and_its_reader_stays(client: AsyncClient, pool: Pool) -> None:
    field = await put_up(client)
    bow = await make(
        client, "reader", {"kind": "bow", "name": "a bow", "slot_id": field.slot["id"]}
    )
    await asked(pool)
    assert data(await client.delete(f"{URL}/{field.slot['id']}")) is None
    assert (await client.get(f"{URL}/{field.slot['id']}")).status_code == 404
    assert data(await client.get(f"/api/v0/reader/{bow['id']}"))["slot_id"] is None
    assert set(await asked(pool)) == {field.target["id"]}


async def test_a_slot_with_shots_is_not_deleted(client: AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn)
        await add_shot(conn, butts, 0, 10)
    said = failure(await client.delete(f"{URL}/{butts.slot_ids[0]}"))
    assert said == (409, ["slot: cannot be deleted: it has shots"])


async def test_a_slot_whose_reader_spoke_is_not_deleted(client: AsyncClient, pool: Pool) -> None:
    field = await put_up(client)
    bow = await make(
        client, "reader", {"kind": "bow", "name": "a bow", "slot_id": field.slot["id"]}
    )
    async with pool.acquire() as conn:
        await say(conn, bow["id"], 10)
    said = failure(await client.delete(f"{URL}/{field.slot['id']}"))
    assert said == (409, ["slot: cannot be deleted: it has events of its readers"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_slot_is_not_found(client: AsyncClient, method: str) -> None:
    answer = await client.request(
        method, f"{URL}/{UNKNOWN}", json={} if method == "PATCH" else None
    )
    assert failure(answer) == (404, [f"slot {UNKNOWN}: not found"])
