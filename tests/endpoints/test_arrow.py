"""Arrows over HTTP."""

from datetime import timedelta
from uuid import uuid4

import pytest
from httpx import AsyncClient

from core.postgres import Pool
from tests.butts import add_shot, set_up
from tests.resources import START, UNKNOWN, Json, Range, asked, data, failure, make, put_up, say

URL = "/api/v0/arrow"


async def make_archer(client: AsyncClient) -> str:
    """The id of a new archer."""
    made = await make(client, "archer", {"given_name": "Eva", "family_name": "Sanz"})
    return str(made["id"])


def arrow_fields(archer_id: str, **others: object) -> Json:
    """An arrow."""
    return {"archer_id": archer_id, "identifier": "AR1", "shaft_diameter_mm": 5.5} | others


async def name_an_arrow(client: AsyncClient, pool: Pool, arrow_id: str) -> Range:
    """A butt whose arrow reader named this arrow ten and twenty seconds after the start."""
    field = await put_up(client)
    wish = {"kind": "arrow", "name": "1A arrow", "slot_id": field.slot["id"]}
    reader = await make(client, "reader", wish)
    async with pool.acquire() as conn:
        for second in (10, 20):
            await say(conn, reader["id"], second, kind="arrow_identified", arrow_id=arrow_id)
    return field


async def test_an_arrow_gets_an_id_when_it_has_none(client: AsyncClient) -> None:
    archer_id = await make_archer(client)
    made = await make(client, "arrow", arrow_fields(archer_id))
    assert data(await client.get(f"{URL}/{made['id']}")) == made
    told = {name: made[name] for name in ("length_mm", "mass_grain", "spine")}
    assert told == {"length_mm": None, "mass_grain": None, "spine": None}


async def test_an_arrow_has_the_id_of_its_tag(client: AsyncClient) -> None:
    tag = str(uuid4())
    made = await make(client, "arrow", arrow_fields(await make_archer(client), id=tag))
    assert made["id"] == tag


async def test_a_tag_belongs_to_one_arrow(client: AsyncClient) -> None:
    archer_id, tag = await make_archer(client), str(uuid4())
    await make(client, "arrow", arrow_fields(archer_id, id=tag))
    answer = await client.post(URL, json=arrow_fields(archer_id, id=tag, identifier="AR2"))
    assert failure(answer) == (409, ["body.id: an arrow with this id exists already"])


async def test_an_archers_arrows_have_names_of_their_own(client: AsyncClient) -> None:
    archer_id = await make_archer(client)
    await make(client, "arrow", arrow_fields(archer_id))
    said = failure(await client.post(URL, json=arrow_fields(archer_id)))
    assert said == (409, ["body.identifier: the archer has an arrow named so already"])


async def test_archers_may_name_their_arrows_alike(client: AsyncClient) -> None:
    for _ in range(2):
        made = await make(client, "arrow", arrow_fields(await make_archer(client)))
        assert made["identifier"] == "AR1"


async def test_a_name_of_another_of_the_archers_arrows_is_refused(client: AsyncClient) -> None:
    archer_id = await make_archer(client)
    await make(client, "arrow", arrow_fields(archer_id))
    second = await make(client, "arrow", arrow_fields(archer_id, identifier="AR2"))
    answer = await client.patch(f"{URL}/{second['id']}", json={"identifier": "AR1"})
    assert failure(answer)[0] == 409


async def test_what_makes_no_arrow_is_refused(client: AsyncClient) -> None:
    wish = arrow_fields(UNKNOWN, identifier="12345678901", shaft_diameter_mm=0, spine=1e10)
    assert failure(await client.post(URL, json=wish)) == (
        422,
        [
            "body.identifier: must have at most 10 characters",
            "body.shaft_diameter_mm: must be greater than 0",
            "body.spine: must be less than or equal to 1000000000",
        ],
    )


async def test_an_arrow_of_nobody_is_refused(client: AsyncClient) -> None:
    said = failure(await client.post(URL, json=arrow_fields(UNKNOWN)))
    assert said == (422, ["body.archer_id: no such archer"])


async def test_a_change_leaves_what_it_does_not_name(client: AsyncClient) -> None:
    made = await make(client, "arrow", arrow_fields(await make_archer(client), spine=500))
    changed = data(await client.patch(f"{URL}/{made['id']}", json={"length_mm": 720}))
    assert changed | {"updated_at": None} == made | {"length_mm": 720.0, "updated_at": None}


async def test_an_arrow_keeps_its_id(client: AsyncClient) -> None:
    made = await make(client, "arrow", arrow_fields(await make_archer(client)))
    said = failure(await client.patch(f"{URL}/{made['id']}", json={"id": UNKNOWN}))
    assert said == (422, ["body.id: is not a known field"])


async def test_arrows_of_one_archer_are_listed_alone(client: AsyncClient) -> None:
    await make(client, "arrow", arrow_fields(await make_archer(client)))
    archer_id = await make_archer(client)
    made = [await make(client, "arrow", arrow_fields(archer_id, identifier=n)) for n in "ab"]
    page = data(await client.get(URL, params={"archer_id": archer_id}))
    assert page == {"items": made, "next_cursor": None}


async def test_an_arrow_that_a_reader_has_named_has_shots_of_then_derived_anew(
    client: AsyncClient, pool: Pool
) -> None:
    tag = str(uuid4())
    field = await name_an_arrow(client, pool, tag)
    await asked(pool)
    await make(client, "arrow", arrow_fields(field.archer["id"], id=tag))
    wish = (await asked(pool))[field.target["id"]]
    assert wish.since is not None and wish.until is not None
    assert START - timedelta(minutes=2) < wish.since < START + timedelta(seconds=10 - 60)
    assert START + timedelta(seconds=20 + 1200) < wish.until < START + timedelta(minutes=25)


async def test_an_arrow_that_nobody_has_named_has_nothing_derived_anew(
    client: AsyncClient, pool: Pool
) -> None:
    field = await name_an_arrow(client, pool, str(uuid4()))
    await asked(pool)
    await make(client, "arrow", arrow_fields(field.archer["id"], id=str(uuid4())))
    assert await asked(pool) == {}


@pytest.mark.parametrize(("field", "is_asked"), [("archer_id", True), ("identifier", False)])
async def test_only_another_archer_has_shots_derived_anew(
    client: AsyncClient, pool: Pool, field: str, is_asked: bool
) -> None:
    tag = str(uuid4())
    named = await name_an_arrow(client, pool, tag)
    await make(client, "arrow", arrow_fields(named.archer["id"], id=tag))
    wish = {"archer_id": await make_archer(client), "identifier": "AR9"}
    await asked(pool)
    data(await client.patch(f"{URL}/{tag}", json={field: wish[field]}))
    assert set(await asked(pool)) == ({named.target["id"]} if is_asked else set())


async def test_an_arrow_that_is_deleted_has_shots_derived_anew(
    client: AsyncClient, pool: Pool
) -> None:
    tag = str(uuid4())
    named = await name_an_arrow(client, pool, tag)
    await make(client, "arrow", arrow_fields(named.archer["id"], id=tag))
    await asked(pool)
    assert data(await client.delete(f"{URL}/{tag}")) is None
    assert set(await asked(pool)) == {named.target["id"]}
    assert (await client.get(f"{URL}/{tag}")).status_code == 404


async def test_an_arrow_with_a_shot_is_not_deleted(client: AsyncClient, pool: Pool) -> None:
    made = await make(client, "arrow", arrow_fields(await make_archer(client)))
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, await set_up(conn), 0, 10)
        await conn.execute("UPDATE shot SET arrow_id = $1 WHERE id = $2", made["id"], shot_id)
    said = failure(await client.delete(f"{URL}/{made['id']}"))
    assert said == (409, ["arrow: cannot be deleted: a shot refers to it"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_arrow_is_not_found(client: AsyncClient, method: str) -> None:
    answer = await client.request(
        method, f"{URL}/{UNKNOWN}", json={} if method == "PATCH" else None
    )
    assert failure(answer) == (404, [f"arrow {UNKNOWN}: not found"])
