"""Start lists over HTTP."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from core.postgres import Pool
from core.schema.types import rfc3339
from tests.endpoints.conftest import Opened
from tests.resources import (
    START,
    UNKNOWN,
    Json,
    asked,
    data,
    failure,
    make,
    put_up,
    say,
    session_fields,
)

FACE = {"face_type": "wa_122_full", "x": 0, "y": 0, "letter": None}
COUNT = """
SELECT
    (SELECT count(*) FROM target) AS target,
    (SELECT count(*) FROM face) AS face,
    (SELECT count(*) FROM archer) AS archer,
    (SELECT count(*) FROM bow) AS bow,
    (SELECT count(*) FROM arrow) AS arrow,
    (SELECT count(*) FROM slot) AS slot,
    (SELECT count(*) FROM reader) AS reader,
    (SELECT count(*) FROM reader_binding) AS reader_binding,
    (SELECT count(*) FROM token) AS token
"""


def entry(lane: int = 1, letter: str = "A", **others: object) -> Json:
    """An archer without arrows."""
    usual = {"given_name": "Ana", "family_name": "Ruiz", "club": None, "country": "ESP"}
    shot = {"bowstyle": "recurve", "shaft_diameter_mm": 5.5}
    return {"lane": lane, "letter": letter} | usual | shot | others


def start_list(*entries: Json, **others: object) -> Json:
    """A start list with a face for all on each lane."""
    return {"faces": [FACE], "entries": list(entries)} | others


async def session_id(client: AsyncClient, **others: object) -> str:
    """The id of a new session."""
    made = await make(client, "session", session_fields(**others))
    return str(made["id"])


async def set_up(client: AsyncClient, session: str, wish: Json) -> Json:
    """What the start list made."""
    made: Json = data(await client.post(f"/api/v0/session/{session}/start_list", json=wish))
    return made


async def listed(client: AsyncClient, resource: str, **query: str) -> list[Any]:
    """All resources of a kind."""
    found = data(await client.get(f"/api/v0/{resource}", params=query | {"limit": "1000"}))
    items: list[Any] = found["items"]
    return items


async def test_the_contracts_example_works_as_written(client: AsyncClient) -> None:
    tag, session = str(uuid4()), await session_id(client)
    wish = {
        "width_mm": 1300,
        "height_mm": 1300,
        "faces": [FACE],
        "entries": [entry(arrows=[{"id": tag, "identifier": "AR1"}])],
    }
    made = await set_up(client, session, wish)
    assert made.keys() == {"targets", "slots", "tokens"}
    (target,), (slot,) = made["targets"], made["slots"]
    assert target.keys() == {"id", "lane", "reader_id"}
    names = {"id", "lane", "letter", "archer_id", "arrow_reader_id", "bow_reader_id", "arrow_ids"}
    assert slot.keys() == names
    assert (target["lane"], slot["lane"], slot["letter"]) == (1, 1, "A")
    assert slot["arrow_ids"] == [tag]
    readers = {target["reader_id"], slot["arrow_reader_id"], slot["bow_reader_id"]}
    assert made["tokens"].keys() == readers


async def test_an_entry_becomes_an_archer_a_bow_a_slot_and_arrows(client: AsyncClient) -> None:
    session = await session_id(client)
    arrows = [{"id": None, "identifier": "AR1"}, {"identifier": "AR2"}]
    wish = start_list(entry(2, "C", club="Arco", bowstyle="compound", arrows=arrows))
    (made,) = (await set_up(client, session, wish))["slots"]
    archer = data(await client.get(f"/api/v0/archer/{made['archer_id']}"))
    named = [archer[name] for name in ("given_name", "family_name", "club", "country")]
    assert named == ["Ana", "Ruiz", "Arco", "ESP"]
    (bow,) = await listed(client, "bow", archer_id=archer["id"])
    (slot,) = await listed(client, "slot", session_id=session)
    assert (slot["letter"], slot["archer_id"], slot["bow_id"]) == ("C", archer["id"], bow["id"])
    assert (slot["bowstyle"], bow["bowstyle"]) == ("compound", "compound")
    shafts = await listed(client, "arrow", archer_id=archer["id"])
    told = {(a["id"], a["identifier"], a["shaft_diameter_mm"]) for a in shafts}
    assert told == {(made["arrow_ids"][0], "AR1", 5.5), (made["arrow_ids"][1], "AR2", 5.5)}


async def test_a_lane_becomes_a_target_with_the_usual_size_and_faces(client: AsyncClient) -> None:
    session = await session_id(client)
    made = await set_up(client, session, start_list(entry(7, "A"), entry(3, "A"), entry(7, "B")))
    assert [target["lane"] for target in made["targets"]] == [3, 7]
    targets = await listed(client, "target", session_id=session)
    sizes = [(t["lane"], t["distance"], t["width_mm"], t["height_mm"]) for t in targets]
    assert sorted(sizes) == [(3, None, 1300.0, 1300.0), (7, None, 1300.0, 1300.0)]
    faces = [face for target in targets for face in target["faces"]]
    assert [face | {"id": None} for face in faces] == [FACE | {"id": None}] * 2
    assert faces[0]["id"] != faces[1]["id"]


async def test_a_lane_has_its_own_distance_and_faces(client: AsyncClient) -> None:
    session, face_id = await session_id(client), str(uuid4())
    own = FACE | {"face_type": "wa_80_6ring", "letter": "A", "id": face_id}
    lanes = [{"lane": 2, "distance": 50, "faces": [own]}, {"lane": 3, "distance": 30}]
    entries = [entry(lane) for lane in (1, 2, 3)]
    wish = start_list(*entries, lanes=lanes, width_mm=2600, height_mm=2500.5)
    await set_up(client, session, wish)
    targets = {t["lane"]: t for t in await listed(client, "target", session_id=session)}
    assert [targets[lane]["distance"] for lane in (1, 2, 3)] == [None, 50.0, 30.0]
    assert [targets[lane]["faces"][0]["face_type"] for lane in (1, 3)] == ["wa_122_full"] * 2
    assert targets[2]["faces"] == [own]
    assert (targets[1]["width_mm"], targets[1]["height_mm"]) == (2600.0, 2500.5)


async def test_a_face_that_hangs_on_several_lanes_has_an_id_on_each(client: AsyncClient) -> None:
    session, face_id = await session_id(client), str(uuid4())
    await set_up(client, session, start_list(entry(1), entry(2), faces=[FACE | {"id": face_id}]))
    targets = await listed(client, "target", session_id=session)
    assert len({target["faces"][0]["id"] for target in targets} - {face_id}) == 2


async def test_a_lane_may_have_no_face(client: AsyncClient) -> None:
    session = await session_id(client)
    await set_up(client, session, start_list(entry(), lanes=[{"lane": 1, "faces": []}]))
    (target,) = await listed(client, "target", session_id=session)
    assert target["faces"] == []


async def test_readers_are_named_and_bound_from_the_sessions_start(client: AsyncClient) -> None:
    session = await session_id(client)
    made = await set_up(client, session, start_list(entry(12, "B")))
    (target,), (slot,) = made["targets"], made["slots"]
    readers = {each["id"]: each for each in await listed(client, "reader", session_id=session)}
    told = {
        reader["name"]: (reader["kind"], reader["slot_id"], reader["target_id"])
        for reader in readers.values()
    }
    assert told == {
        "12 target": ("target", None, target["id"]),
        "12B arrow": ("arrow", slot["id"], target["id"]),
        "12B bow": ("bow", slot["id"], target["id"]),
    }
    assert readers[slot["bow_reader_id"]]["kind"] == "bow"
    assert readers[slot["arrow_reader_id"]]["kind"] == "arrow"
    assert {reader["bound_from"] for reader in readers.values()} == {rfc3339(START)}


async def test_each_reader_speaks_with_its_token(client: AsyncClient, opened: Opened) -> None:
    made = await set_up(client, await session_id(client), start_list(entry()))
    for reader_id, token in made["tokens"].items():
        speaker = await opened(token)
        own = await speaker.post("/api/v0/reader/heartbeat", json={"readers": [{}]})
        assert data(own) == {"accepted": 1}, reader_id
        others = {"readers": [{"reader_id": UNKNOWN}]}
        answer = await speaker.post("/api/v0/reader/heartbeat", json=others)
        assert answer.status_code == 403, reader_id


async def test_a_field_grows_by_another_start_list(client: AsyncClient) -> None:
    session = await session_id(client)
    await set_up(client, session, start_list(entry(1)))
    await set_up(client, session, start_list(entry(2)))
    lanes = [target["lane"] for target in await listed(client, "target", session_id=session)]
    assert lanes == [1, 2]


AR1 = {"identifier": "AR1"}
WRONG: dict[str, tuple[Json, str]] = {
    "nobody": (start_list(), "body.entries: must have at least 1 item, not 0"),
    "a distance that nobody shoots at": (
        start_list(entry(), lanes=[{"lane": 1, "distance": 1e6}]),
        "body.lanes.0.distance: must be less than or equal to 1000",
    ),
    "a place twice": (
        start_list(entry(1, "A"), entry(1, "B"), entry(1, "B")),
        "body.entries.1: 1B is given more than once",
    ),
    "a tag twice": (
        start_list(
            entry(1, "A", arrows=[AR1 | {"id": UNKNOWN}]),
            entry(1, "B", arrows=[AR1, {"identifier": "AR2", "id": UNKNOWN}]),
        ),
        f"body.entries.0.arrows.0.id: {UNKNOWN} is given more than once",
    ),
    "an arrow's name twice": (
        start_list(entry(arrows=[{"identifier": "AR2"}, AR1, AR1])),
        "body.entries.0.arrows.1.identifier: AR1 is given more than once",
    ),
    "a lane of nobody": (
        start_list(entry(1), lanes=[{"lane": 1}, {"lane": 2}]),
        "body.lanes.1.lane: no entry is on lane 2",
    ),
    "a lane twice": (
        start_list(entry(1), lanes=[{"lane": 1}, {"lane": 1}]),
        "body.lanes.0.lane: 1 is given more than once",
    ),
    "an unknown face": (
        start_list(entry(), faces=[FACE | {"face_type": "x"}]),
        "body.faces.0.face_type: no face type 'x': GET /api/v0/face_type lists them",
    ),
    "an unknown face on a lane": (
        start_list(entry(), lanes=[{"lane": 1, "faces": [FACE, FACE | {"face_type": "x"}]}]),
        "body.lanes.0.faces.1.face_type: no face type 'x': GET /api/v0/face_type lists them",
    ),
    "a letter too long": (
        start_list(entry(), entry(letter="AA")),
        "body.entries.1.letter: must match pattern '^[A-Z]$'",
    ),
    "a name too long": (
        start_list(entry(arrows=[{"identifier": "12345678901"}])),
        "body.entries.0.arrows.0.identifier: must have at most 10 characters",
    ),
    "an unknown field": (start_list(entry(age=7)), "body.entries.0.age: is not a known field"),
}


async def count(pool: Pool) -> dict[str, int]:
    """How many rows each table has."""
    async with pool.acquire() as conn:
        return dict(await conn.fetchrow(COUNT) or {})


async def test_what_makes_no_field_is_refused_with_its_entry(
    client: AsyncClient, pool: Pool
) -> None:
    url = f"/api/v0/session/{await session_id(client)}/start_list"
    said = {name: failure(await client.post(url, json=wrong)) for name, (wrong, _) in WRONG.items()}
    assert said == {name: (422, [sentence]) for name, (_, sentence) in WRONG.items()}
    assert set((await count(pool)).values()) == {0}


async def test_a_lane_that_is_there_already_is_named_and_nothing_is_made(
    client: AsyncClient, pool: Pool
) -> None:
    session = await session_id(client)
    await set_up(client, session, start_list(entry(2), entry(4)))
    before = await count(pool)
    wish = start_list(*(entry(lane) for lane in (1, 4, 2, 3)))
    said = failure(await client.post(f"/api/v0/session/{session}/start_list", json=wish))
    sentence = "body.entries.2.lane: the session has targets on these lanes already: 2, 4"
    assert said == (409, [sentence])
    assert await count(pool) == before


async def test_a_tag_that_is_known_already_is_named_and_nothing_is_made(
    client: AsyncClient, pool: Pool
) -> None:
    session, tag = await session_id(client), str(uuid4())
    await set_up(client, session, start_list(entry(1, arrows=[AR1 | {"id": tag}])))
    before = await count(pool)
    wish = start_list(entry(2), entry(3, arrows=[AR1, {"identifier": "AR2", "id": tag}]))
    said = failure(await client.post(f"/api/v0/session/{session}/start_list", json=wish))
    assert said == (409, [f"body.entries.1.arrows.1.id: an arrow {tag} exists already"])
    assert await count(pool) == before


async def test_a_face_that_hangs_elsewhere_already_is_refused(
    client: AsyncClient, pool: Pool
) -> None:
    field = await put_up(client)
    before = await count(pool)
    taken = FACE | {"id": field.target["faces"][0]["id"]}
    url = f"/api/v0/session/{field.session['id']}/start_list"
    said = failure(await client.post(url, json=start_list(entry(2), faces=[taken])))
    assert said == (409, ["body.faces: a face with this id exists already"])
    assert await count(pool) == before


async def test_an_unknown_session_is_not_found(client: AsyncClient) -> None:
    answer = await client.post(f"/api/v0/session/{UNKNOWN}/start_list", json=start_list(entry()))
    assert failure(answer) == (404, [f"session {UNKNOWN}: not found"])


async def test_a_tag_that_a_reader_has_named_has_shots_derived_anew(
    client: AsyncClient, pool: Pool
) -> None:
    field, tag = await put_up(client), str(uuid4())
    wish = {"kind": "arrow", "name": "1A arrow", "slot_id": field.slot["id"]}
    reader = await make(client, "reader", wish)
    async with pool.acquire() as conn:
        await say(conn, reader["id"], 10, kind="arrow_identified", arrow_id=tag)
    await asked(pool)
    lane = start_list(entry(2, arrows=[AR1 | {"id": tag}]))
    await set_up(client, field.session["id"], lane)
    assert set(await asked(pool)) == {field.target["id"]}


@pytest.mark.parametrize("begun", [timedelta(hours=-3), timedelta(hours=3)])
async def test_a_session_long_begun_or_to_come_is_set_up(
    client: AsyncClient, begun: timedelta
) -> None:
    start_time = rfc3339(START + begun)
    made = await set_up(
        client, await session_id(client, start_time=start_time), start_list(entry())
    )
    reader = data(await client.get(f"/api/v0/reader/{made['targets'][0]['reader_id']}"))
    assert reader["bound_from"] == start_time


async def test_the_largest_field_is_set_up_in_a_few_seconds(
    client: AsyncClient, pool: Pool
) -> None:
    session = await session_id(client)
    arrows = [{"id": None, "identifier": f"AR{number}"} for number in range(3)]
    wish = start_list(
        *(entry(lane, letter, arrows=arrows) for lane in range(1, 401) for letter in "ABCD"),
        lanes=[{"lane": lane, "distance": 70} for lane in range(1, 401)],
    )
    begun = time.perf_counter()
    made = await set_up(client, session, wish)
    assert time.perf_counter() - begun < 10
    assert (len(made["targets"]), len(made["slots"]), len(made["tokens"])) == (400, 1600, 3600)
    assert await count(pool) == {
        "target": 400,
        "face": 400,
        "archer": 1600,
        "bow": 1600,
        "arrow": 4800,
        "slot": 1600,
        "reader": 3600,
        "reader_binding": 3600,
        "token": 3600,
    }
