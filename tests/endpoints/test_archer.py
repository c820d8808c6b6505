"""Archers over HTTP."""

from uuid import UUID

import pytest
from httpx import AsyncClient

from tests.resources import UNKNOWN, Json, data, failure, make, put_up

URL = "/api/v0/archer"
ANA = {"given_name": "Ana", "family_name": "Ruiz"}


async def test_an_archer_is_made_with_a_name_alone(client: AsyncClient) -> None:
    made = await make(client, "archer", ANA)
    assert UUID(made.pop("id")) and made.pop("created_at") == made.pop("updated_at")
    assert made == ANA | {"club": None, "country": None}


async def test_an_archer_is_read_as_made(client: AsyncClient) -> None:
    made = await make(client, "archer", ANA | {"club": "Arco", "country": "ESP"})
    assert data(await client.get(f"{URL}/{made['id']}")) == made


async def test_a_change_leaves_what_it_does_not_name(client: AsyncClient) -> None:
    made = await make(client, "archer", ANA | {"club": "Arco", "country": "ESP"})
    changed = data(await client.patch(f"{URL}/{made['id']}", json={"club": None}))
    assert changed | {"updated_at": None} == made | {"club": None, "updated_at": None}


async def test_archers_are_listed_in_the_order_of_their_creation(client: AsyncClient) -> None:
    made = [await make(client, "archer", ANA | {"club": str(n)}) for n in range(3)]
    first = data(await client.get(URL, params={"limit": 2}))
    rest = data(await client.get(URL, params={"limit": 2, "cursor": first["next_cursor"]}))
    assert first["items"] + rest["items"] == made
    assert rest["next_cursor"] is None


async def test_what_is_no_name_is_refused(client: AsyncClient) -> None:
    wish = {"given_name": "", "family_name": None, "club": 5, "country": "E" * 501}
    assert failure(await client.post(URL, json=wish)) == (
        422,
        [
            "body.given_name: must have at least 1 character",
            "body.family_name: must be text",
            "body.club: must be text",
            "body.country: must have at most 500 characters",
        ],
    )


async def test_an_archer_without_anything_is_deleted(client: AsyncClient) -> None:
    made = await make(client, "archer", ANA)
    assert data(await client.delete(f"{URL}/{made['id']}")) is None
    assert (await client.get(f"{URL}/{made['id']}")).status_code == 404


async def test_an_archer_with_a_place_is_not_deleted(client: AsyncClient) -> None:
    field = await put_up(client)
    said = failure(await client.delete(f"{URL}/{field.archer['id']}"))
    assert said == (409, ["archer: cannot be deleted: a slot refers to it"])


@pytest.mark.parametrize("resource", ["bow", "arrow"])
async def test_an_archer_with_equipment_is_not_deleted(client: AsyncClient, resource: str) -> None:
    made = await make(client, "archer", ANA)
    equipment: dict[str, Json] = {
        "bow": {"bowstyle": "recurve"},
        "arrow": {"identifier": "AR1", "shaft_diameter_mm": 5.5},
    }
    await make(client, resource, equipment[resource] | {"archer_id": made["id"]})
    article = {"bow": "a bow", "arrow": "an arrow"}[resource]
    said = failure(await client.delete(f"{URL}/{made['id']}"))
    assert said == (409, [f"archer: cannot be deleted: {article} belongs to it"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_archer_is_not_found(client: AsyncClient, method: str) -> None:
    answer = await client.request(
        method, f"{URL}/{UNKNOWN}", json={} if method == "PATCH" else None
    )
    assert failure(answer) == (404, [f"archer {UNKNOWN}: not found"])
