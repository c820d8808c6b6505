"""Bows over HTTP."""

from uuid import UUID

import pytest
from httpx import AsyncClient

from tests.resources import UNKNOWN, Json, data, failure, make, put_up

URL = "/api/v0/bow"


async def make_bow(client: AsyncClient, **others: object) -> Json:
    """A bow of an archer of its own."""
    archer = await make(client, "archer", {"given_name": "Ana", "family_name": "Ruiz"})
    return await make(client, "bow", {"archer_id": archer["id"], "bowstyle": "recurve"} | others)


async def test_a_bow_is_made_with_its_style_alone(client: AsyncClient) -> None:
    made = await make_bow(client)
    assert UUID(made["id"]) and UUID(made["archer_id"])
    told = (made["bowstyle"], made["name"], made["draw_weight_lb"])
    assert told == ("recurve", None, None)


async def test_a_bow_is_read_as_made(client: AsyncClient) -> None:
    made = await make_bow(client, name="the blue one", draw_weight_lb=42.5)
    assert data(await client.get(f"{URL}/{made['id']}")) == made


async def test_a_change_leaves_what_it_does_not_name(client: AsyncClient) -> None:
    made = await make_bow(client, name="the blue one")
    changed = data(await client.patch(f"{URL}/{made['id']}", json={"bowstyle": "barebow"}))
    assert changed | {"updated_at": None} == made | {"bowstyle": "barebow", "updated_at": None}


async def test_bows_of_one_archer_are_listed_alone(client: AsyncClient) -> None:
    await make_bow(client)
    made = await make_bow(client)
    page = data(await client.get(URL, params={"archer_id": made["archer_id"]}))
    assert page == {"items": [made], "next_cursor": None}


async def test_what_makes_no_bow_is_refused(client: AsyncClient) -> None:
    wish = {"archer_id": "ana", "bowstyle": "crossbow", "draw_weight_lb": -1}
    assert failure(await client.post(URL, json=wish)) == (
        422,
        [
            "body.archer_id: must be a UUID",
            "body.bowstyle: must be 'recurve', 'compound', 'barebow', 'longbow' or 'traditional'",
            "body.draw_weight_lb: must be greater than 0",
        ],
    )


async def test_a_bow_of_nobody_is_refused(client: AsyncClient) -> None:
    answer = await client.post(URL, json={"archer_id": UNKNOWN, "bowstyle": "recurve"})
    assert failure(answer) == (422, ["body.archer_id: no such archer"])


async def test_a_bow_that_stands_in_a_slot_keeps_its_archer(client: AsyncClient) -> None:
    field = await put_up(client)
    other = await make(client, "archer", {"given_name": "Eva", "family_name": "Sanz"})
    bow = await make(client, "bow", {"archer_id": field.archer["id"], "bowstyle": "recurve"})
    data(await client.patch(f"/api/v0/slot/{field.slot['id']}", json={"bow_id": bow["id"]}))
    answer = await client.patch(f"{URL}/{bow['id']}", json={"archer_id": other["id"]})
    assert failure(answer) == (409, ["body.archer_id: a slot of the archer's has this bow"])
    assert data(await client.get(f"{URL}/{bow['id']}"))["archer_id"] == field.archer["id"]


async def test_a_bow_that_stands_nowhere_is_given_to_another(client: AsyncClient) -> None:
    made, other = await make_bow(client), await make_bow(client)
    wish = {"archer_id": other["archer_id"]}
    changed = data(await client.patch(f"{URL}/{made['id']}", json=wish))
    assert changed["archer_id"] == other["archer_id"]


async def test_a_bow_in_a_slot_is_not_deleted(client: AsyncClient) -> None:
    field = await put_up(client)
    bow = await make(client, "bow", {"archer_id": field.archer["id"], "bowstyle": "recurve"})
    data(await client.patch(f"/api/v0/slot/{field.slot['id']}", json={"bow_id": bow["id"]}))
    said = failure(await client.delete(f"{URL}/{bow['id']}"))
    assert said == (409, ["bow: cannot be deleted: a slot refers to it"])


async def test_a_bow_is_deleted(client: AsyncClient) -> None:
    made = await make_bow(client)
    assert data(await client.delete(f"{URL}/{made['id']}")) is None
    assert (await client.get(f"{URL}/{made['id']}")).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_bow_is_not_found(client: AsyncClient, method: str) -> None:
    answer = await client.request(
        method, f"{URL}/{UNKNOWN}", json={} if method == "PATCH" else None
    )
    assert failure(answer) == (404, [f"bow {UNKNOWN}: not found"])
