"""Targets over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

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
    target_fields,
)

URL = "/api/v0/target"
LEFT = {"face_type": "wa_40_triple_vertical", "x": -250, "y": 0, "letter": "A"}
RIGHT = {"face_type": "wa_40_triple_vertical", "x": 250.5, "y": -10, "letter": "B"}


async def make_target(client: AsyncClient, **others: object) -> Json:
    """A target of a session of its own."""
    session = await make(client, "session", session_fields())
    return await make(client, "target", target_fields(session["id"]) | others)


async def test_a_target_is_answered_whole(client: AsyncClient) -> None:
    made = await make_target(client, distance=70, faces=[LEFT, RIGHT])
    assert UUID(made.pop("id")) and UUID(made.pop("session_id"))
    assert all(UUID(face.pop("id")) for face in made["faces"])
    assert made.pop("created_at") == made.pop("updated_at")
    assert made == {
        "lane": 1,
        "distance": 70.0,
        "width_mm": 1300.0,
        "height_mm": 1300.0,
        "faces": [LEFT, RIGHT],
    }


async def test_a_target_is_read_as_made(client: AsyncClient) -> None:
    made = await make_target(client, faces=[LEFT, RIGHT])
    assert data(await client.get(f"{URL}/{made['id']}")) == made


async def test_a_target_may_stand_without_faces(client: AsyncClient) -> None:
    assert (await make_target(client, faces=[]))["faces"] == []


async def test_a_face_has_the_id_that_it_is_given(client: AsyncClient) -> None:
    face_id = str(uuid4())
    made = await make_target(client, faces=[LEFT, RIGHT | {"id": face_id}])
    assert made["faces"][1]["id"] == face_id


WRONG: dict[str, tuple[Json, str]] = {
    "unknown face": (
        {"faces": [LEFT | {"face_type": "wa_41_full"}]},
        "body.faces.0.face_type: no face type 'wa_41_full': GET /api/v0/face_type lists them",
    ),
    "face without a place": (
        {"faces": [{"face_type": "wa_40_full", "x": 0}]},
        "body.faces.0.y: is missing",
    ),
    "no letter": (
        {"faces": [LEFT | {"letter": "a"}]},
        "body.faces.0.letter: must match pattern '^[A-Z]$'",
    ),
    "two faces of one id": (
        {"faces": [LEFT | {"id": UNKNOWN}, RIGHT | {"id": UNKNOWN}]},
        "body.faces.1.id: another face has the same id",
    ),
    "lane nought": ({"lane": 0}, "body.lane: must be greater than or equal to 1"),
    "lane as a fraction": ({"lane": 1.0}, "body.lane: must be a whole number"),
    "lane beyond all": ({"lane": 2**31}, "body.lane: must be less than or equal to 2000000000"),
    "a distance that nobody shoots at": (
        {"distance": 1000.5},
        "body.distance: must be less than or equal to 1000",
    ),
    "no width": ({"width_mm": 0}, "body.width_mm: must be greater than 0"),
    "no session": ({"session_id": UNKNOWN}, "body.session_id: no such session"),
}


async def test_what_makes_no_target_is_refused_with_its_field(client: AsyncClient) -> None:
    session = await make(client, "session", session_fields())
    usual = target_fields(session["id"])
    said = {name: failure(await client.post(URL, json=usual | w)) for name, (w, _) in WRONG.items()}
    assert said == {name: (422, [sentence]) for name, (_, sentence) in WRONG.items()}


async def test_a_lane_has_one_target(client: AsyncClient) -> None:
    made = await make_target(client)
    said = failure(await client.post(URL, json=target_fields(made["session_id"])))
    assert said == (409, ["body.lane: the session has a target on this lane already"])


async def test_sessions_have_the_same_lanes(client: AsyncClient) -> None:
    assert [(await make_target(client))["lane"] for _ in range(2)] == [1, 1]


async def test_a_target_is_not_moved_to_a_lane_that_is_taken(client: AsyncClient) -> None:
    first = await make_target(client)
    second = await make(client, "target", target_fields(first["session_id"], lane=2))
    answer = await client.patch(f"{URL}/{second['id']}", json={"lane": 1})
    assert failure(answer) == (409, ["body.lane: the session has a target on this lane already"])


async def test_a_face_of_another_target_is_refused(client: AsyncClient) -> None:
    first = await make_target(client)
    taken = LEFT | {"id": first["faces"][0]["id"]}
    answer = await client.post(
        URL, json=target_fields(first["session_id"], lane=2, faces=[RIGHT, taken])
    )
    assert failure(answer) == (409, ["body.faces: a face with this id exists already"])
    listed = data(await client.get(URL, params={"session_id": first["session_id"]}))
    assert listed["items"] == [first]


async def test_a_change_leaves_what_it_does_not_name(client: AsyncClient) -> None:
    made = await make_target(client, distance=70, faces=[LEFT, RIGHT])
    changed = data(await client.patch(f"{URL}/{made['id']}", json={"distance": None}))
    assert changed | {"updated_at": None} == made | {"distance": None, "updated_at": None}


async def test_faces_are_replaced_and_those_with_their_id_stay(client: AsyncClient) -> None:
    made = await make_target(client, faces=[LEFT, RIGHT])
    kept = made["faces"][1] | {"face_type": "wa_40_triple_vegas"}
    new = {"face_type": "wa_40_full", "x": 0, "y": 0}
    changed = data(await client.patch(f"{URL}/{made['id']}", json={"faces": [new, kept]}))
    assert [face["face_type"] for face in changed["faces"]] == ["wa_40_full", "wa_40_triple_vegas"]
    assert changed["faces"][1]["id"] == made["faces"][1]["id"]
    assert changed["faces"][0]["id"] not in {face["id"] for face in made["faces"]}
    assert changed["updated_at"] > made["updated_at"]


async def test_a_face_without_id_that_hangs_there_already_keeps_its_own(
    client: AsyncClient, pool: Pool
) -> None:
    made = await make_target(client, faces=[LEFT, RIGHT])
    await asked(pool)
    assert data(await client.patch(f"{URL}/{made['id']}", json={"faces": [LEFT, RIGHT]})) == made
    assert await asked(pool) == {}


async def test_a_change_with_two_faces_of_one_id_is_refused(client: AsyncClient) -> None:
    made = await make_target(client)
    twice = [LEFT | {"id": UNKNOWN}, RIGHT | {"id": UNKNOWN}]
    said = failure(await client.patch(f"{URL}/{made['id']}", json={"faces": twice}))
    assert said == (422, ["body.faces.1.id: another face has the same id"])


@pytest.mark.parametrize(
    ("wish", "is_asked"),
    [
        ({"faces": [LEFT]}, True),
        ({"distance": 50}, True),
        ({"width_mm": 600}, True),
        ({"lane": 7}, False),
        ({}, False),
    ],
)
async def test_only_what_shots_depend_on_has_them_derived_anew(
    client: AsyncClient, pool: Pool, wish: Any, is_asked: bool
) -> None:
    made = await make_target(client)
    await asked(pool)
    data(await client.patch(f"{URL}/{made['id']}", json=wish))
    assert set(await asked(pool)) == ({made["id"]} if is_asked else set())


async def test_targets_of_one_session_are_listed_alone(client: AsyncClient) -> None:
    await make_target(client)
    made = await make_target(client, faces=[LEFT, RIGHT])
    second = await make(client, "target", target_fields(made["session_id"], lane=2))
    page = data(await client.get(URL, params={"session_id": made["session_id"]}))
    assert page == {"items": [made, second], "next_cursor": None}


async def test_a_target_is_deleted_and_its_reader_stays(client: AsyncClient) -> None:
    made = await make_target(client)
    wish = {"kind": "target", "name": "1 target", "target_id": made["id"]}
    reader = await make(client, "reader", wish)
    assert data(await client.delete(f"{URL}/{made['id']}")) is None
    assert (await client.get(f"{URL}/{made['id']}")).status_code == 404
    assert data(await client.get(f"/api/v0/reader/{reader['id']}"))["target_id"] is None


async def test_a_target_with_a_slot_is_not_deleted(client: AsyncClient) -> None:
    field = await put_up(client)
    said = failure(await client.delete(f"{URL}/{field.target['id']}"))
    assert said == (409, ["target: cannot be deleted: a slot refers to it"])
    assert data(await client.get(f"{URL}/{field.target['id']}")) == field.target


async def test_a_target_with_shots_is_not_deleted(client: AsyncClient, pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn)
        await add_shot(conn, butts, 0, 10)
    said = failure(await client.delete(f"{URL}/{butts.target_ids[0]}"))
    assert said == (409, ["target: cannot be deleted: it has shots"])


async def test_a_target_whose_reader_spoke_is_not_deleted(client: AsyncClient, pool: Pool) -> None:
    made = await make_target(client)
    wish = {"kind": "arrow", "name": "the butt's", "target_id": made["id"]}
    reader = await make(client, "reader", wish)
    async with pool.acquire() as conn:
        await say(conn, reader["id"], 10, kind="arrow_identified", arrow_id=UNKNOWN)
    said = failure(await client.delete(f"{URL}/{made['id']}"))
    assert said == (409, ["target: cannot be deleted: it has events of its readers"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_target_is_not_found(client: AsyncClient, method: str) -> None:
    answer = await client.request(
        method, f"{URL}/{UNKNOWN}", json={} if method == "PATCH" else None
    )
    assert failure(answer) == (404, [f"target {UNKNOWN}: not found"])
