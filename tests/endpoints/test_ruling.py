"""Rulings over HTTP, and what becomes of the shots."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from core.domain.outcome import shot_id as shot_id_of
from core.models.instants import instant
from core.models.token import create_token
from core.postgres import Pool
from core.schema.inbox import AcceptedEvent
from core.schema.token import Role
from core.schema.types import rfc3339
from core.settings import Settings
from tests.endpoints.conftest import AsRole, Opened
from tests.fields import Field, as_if_received_then, put_up
from tests.resources import UNKNOWN, Json, data, failure
from tests.workers.conftest import Range
from workers.main import close_deps, open_deps

WHY = {"reason": "seen at the butt"}


@pytest.fixture(name="line")
async def make_line(settings: Settings) -> AsyncIterator[Range]:
    """Two butts with two archers each, and workers."""
    deps = await open_deps(settings)
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2, letters="AB")
    yield Range(deps, field)
    await close_deps(deps)


def shot_id(release: AcceptedEvent) -> str:
    """The id of a release's shot."""
    return str(shot_id_of(release.event_id))


async def hit(line: Range, at: float, place: str = "1A", x: float = 3.0) -> str:
    """The id of a shot that landed."""
    release = as_if_received_then(line.field.release(at, place))
    landing = as_if_received_then(line.field.landed(at + 0.4, int(place[0]), x=x))
    await line.say(release, landing)
    return shot_id(release)


async def missed(line: Range, at: float, place: str = "1A") -> str:
    """The id of a shot that missed."""
    release = as_if_received_then(line.field.release(at, place))
    await line.say(release, line.field.beat(f"{place[0]} target"))
    return shot_id(release)


async def stray(line: Range, at: float, lane: int = 1, x: float = 3.0) -> str:
    """The event id of a landing that is nobody's."""
    landing = as_if_received_then(line.field.landed(at, lane, x=x))
    await line.say(landing)
    return str(landing.event_id)


async def ruled(client: AsyncClient, line: Range, path: str, **wish: object) -> Json:
    """A ruling that was made and applied."""
    made: Json = data(await client.post(f"/api/v0/{path}/ruling", json={**WHY, **wish}))
    await line.say()
    return made


async def undone(client: AsyncClient, line: Range, ruling: Json) -> Json:
    """A ruling that was taken back, and its shots derived without it."""
    url = f"/api/v0/ruling/{ruling['id']}/undo"
    made: Json = data(await client.post(url, json={"reason": "a mistake"}))
    await line.say()
    return made


async def shown(client: AsyncClient, shot: str) -> Json:
    """A shot."""
    found: Json = data(await client.get(f"/api/v0/shot/{shot}"))
    return found


async def outcome(client: AsyncClient, shot: str) -> tuple[str, int | None, str | None]:
    """How a shot stands, and what it counts."""
    found = await shown(client, shot)
    return found["status"], found["score"], found["label"]


async def as_it_is(client: AsyncClient, shot: str) -> Json:
    """A shot but for its version."""
    return await shown(client, shot) | {"version": None}


async def total(client: AsyncClient, field: Field, place: str) -> tuple[int, int]:
    """The points and the arrows of a place."""
    rows = data(await client.get(f"/api/v0/session/{field.session_id}/leaderboard"))
    (row,) = [r for r in rows if r["slot_id"] == str(field.slots[place])]
    return row["total"], row["arrows"]


async def listed(client: AsyncClient, field: Field) -> list[str]:
    """The ids of what is on the review list."""
    page = data(await client.get(f"/api/v0/session/{field.session_id}/review"))
    return [row["id"] for row in page["items"]]


async def refused(client: AsyncClient, path: str, **wish: object) -> tuple[int, list[str]]:
    """Why a ruling is not possible."""
    return failure(await client.post(f"/api/v0/{path}/ruling", json={**WHY, **wish}))


async def told(line: Range) -> list[dict[str, Any]]:
    """All shot frames."""
    frames = [json.loads(frame.text) for frame in await line.frames()]
    return [frame for frame in frames if frame["type"].startswith("shot.")]


async def test_a_ruling_is_answered_whole(client: AsyncClient, line: Range) -> None:
    shot = await hit(line, 10)
    before = await shown(client, shot)
    request_id = str(uuid4())
    wish = {"action": "score", "score": 9, "reason": "  line judge called it  "}
    made = data(
        await client.post(
            f"/api/v0/shot/{shot}/ruling", json=wish, headers={"X-Request-ID": request_id}
        )
    )
    made_at = made.pop("made_at")
    assert UUID(made.pop("id")) and made_at.endswith("Z")
    assert made == {
        "session_id": str(line.field.session_id),
        "target_id": str(line.field.targets[1]),
        "action": "score",
        "shot_id": shot,
        "landing_event_id": None,
        "slot_id": None,
        "slot_ids": None,
        "score": 9,
        "label": "9",
        "is_x": False,
        "since": None,
        "until": None,
        "reason": "line judge called it",
        "made_by": {"token_id": None, "name": "admin"},
        "request_id": request_id,
        "before": [before],
        "after": None,
        "undone": None,
    }


async def test_a_ruled_score_counts_and_is_told_with_its_request(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    frames = len(await told(line))
    made = await ruled(client, line, f"shot/{shot}", action="score", score=7)
    after = await shown(client, shot)
    assert (after["score"], after["label"], after["is_x"], after["x"]) == (7, "7", False, 3.0)
    assert after["flags"].count("ruled") == 1
    assert await total(client, line.field, "1A") == (7, 1)
    (frame,) = (await told(line))[frames:]
    assert (frame["type"], frame["request_id"]) == ("shot.updated", made["request_id"])
    assert frame["data"]["shot"] == after


async def test_what_a_ruling_did_is_kept_with_it(client: AsyncClient, line: Range) -> None:
    shot = await hit(line, 10)
    before = await shown(client, shot)
    made = await ruled(client, line, f"shot/{shot}", action="score", score=7)
    kept = data(await client.get(f"/api/v0/ruling/{made['id']}"))
    assert (kept["before"], kept["after"]) == ([before], [await shown(client, shot)])
    await ruled(client, line, f"shot/{shot}", action="score", score=8)
    assert data(await client.get(f"/api/v0/ruling/{made['id']}")) == kept


async def test_a_ruling_that_is_taken_back_leaves_what_was_before(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    before = await shown(client, shot)
    made = await ruled(client, line, f"shot/{shot}", action="score", score=7)
    back = await undone(client, line, made)
    assert back["undone"].pop("at").endswith("Z")
    assert back["undone"] == {
        "by": {"token_id": None, "name": "admin"},
        "reason": "a mistake",
        "restore_id": None,
    }
    after = await shown(client, shot)
    assert after == before | {"version": before["version"] + 2}
    assert await total(client, line.field, "1A") == (10, 1)


async def test_of_two_scores_the_later_stands_and_without_it_the_earlier(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    await ruled(client, line, f"shot/{shot}", action="score", score=7)
    later = await ruled(client, line, f"shot/{shot}", action="score", score=8)
    assert (await shown(client, shot))["score"] == 8
    await undone(client, line, later)
    assert (await shown(client, shot))["score"] == 7


@pytest.mark.parametrize(
    ("wish", "worth"),
    [
        ({"score": 10}, (10, "10", False)),
        ({"score": 10, "label": "X"}, (10, "X", True)),
        ({"score": 10, "is_x": True}, (10, "X", True)),
        ({"score": 0}, (0, "M", False)),
    ],
)
async def test_a_label_goes_with_the_score(
    client: AsyncClient, line: Range, wish: Json, worth: tuple[int, str, bool]
) -> None:
    shot = await hit(line, 10)
    await ruled(client, line, f"shot/{shot}", action="score", **wish)
    after = await shown(client, shot)
    assert (after["score"], after["label"], after["is_x"]) == worth


async def test_a_missed_shot_can_be_given_a_score(client: AsyncClient, line: Range) -> None:
    shot = await missed(line, 10)
    assert await outcome(client, shot) == ("missed", 0, "M")
    await ruled(client, line, f"shot/{shot}", action="score", score=9)
    after = await shown(client, shot)
    told_of = (after["status"], after["score"], after["landing_event_id"], after["x"])
    assert told_of == ("landed", 9, None, None)
    assert await total(client, line.field, "1A") == (9, 1)


async def test_an_unresolved_shot_leaves_the_review_list_by_a_ruling(
    client: AsyncClient, line: Range
) -> None:
    release = as_if_received_then(line.field.release(10))
    await line.say(release)
    shot = shot_id(release)
    assert (await shown(client, shot))["status"] == "unresolved"
    assert await listed(client, line.field) == [shot]
    await ruled(client, line, f"shot/{shot}", action="score", score=0)
    assert await outcome(client, shot) == ("missed", 0, "M")
    assert await listed(client, line.field) == []


async def test_a_voided_shot_counts_nowhere_until_it_is_restored(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    before = await as_it_is(client, shot)
    await ruled(client, line, f"shot/{shot}", action="void")
    assert await outcome(client, shot) == ("voided", None, None)
    assert await total(client, line.field, "1A") == (0, 0)
    assert (await told(line))[-1]["type"] == "shot.voided"
    await ruled(client, line, f"shot/{shot}", action="restore")
    assert await as_it_is(client, shot) == before
    assert await total(client, line.field, "1A") == (10, 1)


async def test_a_restore_takes_every_ruling_back_and_can_be_taken_back_itself(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    before = await as_it_is(client, shot)
    score = await ruled(client, line, f"shot/{shot}", action="score", score=7)
    slot_id = str(line.field.slots["1B"])
    await ruled(client, line, f"shot/{shot}", action="move", slot_id=slot_id)
    both = await as_it_is(client, shot)
    restore = await ruled(client, line, f"shot/{shot}", action="restore")
    assert await as_it_is(client, shot) == before
    kept = data(await client.get(f"/api/v0/ruling/{score['id']}"))
    assert kept["undone"]["restore_id"] == restore["id"]
    await undone(client, line, restore)
    assert await as_it_is(client, shot) == both
    assert data(await client.get(f"/api/v0/ruling/{score['id']}"))["undone"] is None
    assert (both["score"], both["slot_id"]) == (7, slot_id)


async def test_a_shot_can_be_moved_to_another_archer(client: AsyncClient, line: Range) -> None:
    shot = await hit(line, 10)
    await ruled(client, line, f"shot/{shot}", action="move", slot_id=str(line.field.slots["1B"]))
    after = await shown(client, shot)
    slot = data(await client.get(f"/api/v0/slot/{line.field.slots['1B']}"))
    assert (after["slot_id"], after["archer_id"]) == (slot["id"], slot["archer_id"])
    assert await total(client, line.field, "1A") == (0, 0)
    assert await total(client, line.field, "1B") == (10, 1)


async def test_a_shot_can_be_moved_to_an_archer_at_another_target(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    moved = await ruled(
        client, line, f"shot/{shot}", action="move", slot_id=str(line.field.slots["2A"])
    )
    await hit(line, 50, "2A", x=100)
    assert (await shown(client, shot))["target_id"] == str(line.field.targets[1])
    assert await total(client, line.field, "2A") == (19, 2)
    await undone(client, line, moved)
    assert await total(client, line.field, "2A") == (9, 1)
    assert await total(client, line.field, "1A") == (10, 1)


async def test_a_landing_is_given_to_a_shot_that_missed(client: AsyncClient, line: Range) -> None:
    shot, landing = await missed(line, 10), await stray(line, 200)
    assert await listed(client, line.field) == [landing]
    made = await ruled(
        client, line, f"shot/{shot}", action="assign_landing", landing_event_id=landing
    )
    after = await shown(client, shot)
    assert (after["status"], after["score"], after["x"]) == ("landed", 10, 3.0)
    assert (after["landing_event_id"], after["confidence"]) == (landing, 1.0)
    assert await listed(client, line.field) == []
    await undone(client, line, made)
    assert await outcome(client, shot) == ("missed", 0, "M")
    assert await listed(client, line.field) == [landing]


async def test_a_landing_that_is_given_away_leaves_its_shot_to_the_usual_rules(
    client: AsyncClient, line: Range
) -> None:
    ours, theirs = await hit(line, 10), await missed(line, 300, "1B")
    before = [await as_it_is(client, shot) for shot in (ours, theirs)]
    landing = before[0]["landing_event_id"]
    wish = {"action": "assign_landing", "landing_event_id": landing}
    made = await ruled(client, line, f"shot/{theirs}", **wish)
    assert [shot["id"] for shot in made["before"]] == [ours, theirs]
    assert await outcome(client, theirs) == ("landed", 10, "X")
    assert (await outcome(client, ours))[0] == "missed"
    kept = data(await client.get(f"/api/v0/ruling/{made['id']}"))
    assert kept["after"] == [await shown(client, shot) for shot in (ours, theirs)]
    await undone(client, line, made)
    assert [await as_it_is(client, shot) for shot in (ours, theirs)] == before


async def test_a_shot_can_be_told_to_have_no_landing(client: AsyncClient, line: Range) -> None:
    shot = await hit(line, 10)
    landing = (await shown(client, shot))["landing_event_id"]
    wish = {"action": "assign_landing", "landing_event_id": None}
    await ruled(client, line, f"shot/{shot}", **wish)
    assert await outcome(client, shot) == ("missed", 0, "M")
    assert await listed(client, line.field) == [landing]


async def test_giving_a_landing_is_the_same_from_its_own_end(
    client: AsyncClient, line: Range
) -> None:
    shot, landing = await missed(line, 10), await stray(line, 200)
    made = await ruled(client, line, f"landing/{landing}", action="give", shot_id=shot)
    assert (made["action"], made["shot_id"]) == ("assign_landing", shot)
    assert made["landing_event_id"] == landing
    assert (await shown(client, shot))["landing_event_id"] == landing


async def test_a_landing_becomes_a_shot_and_is_none_when_that_is_taken_back(
    client: AsyncClient, line: Range
) -> None:
    landing = await stray(line, 200)
    slot_id = str(line.field.slots["1B"])
    made = await ruled(client, line, f"landing/{landing}", action="shot", slot_id=slot_id)
    after = await shown(client, made["shot_id"])
    assert (after["release_event_id"], after["landing_event_id"]) == (None, landing)
    assert (after["slot_id"], after["score"], after["flags"][-1]) == (slot_id, 10, "ruled")
    assert after["release_time"] == after["landing_time"]
    assert await total(client, line.field, "1B") == (10, 1)
    kinds = [frame["type"] for frame in await told(line)]
    assert kinds == ["shot.created", "shot.landed"]
    await undone(client, line, made)
    assert await outcome(client, made["shot_id"]) == ("voided", None, None)
    assert await total(client, line.field, "1B") == (0, 0)
    assert await listed(client, line.field) == [landing]


async def test_a_shot_that_was_made_comes_back_when_it_is_made_again(
    client: AsyncClient, line: Range
) -> None:
    landing = await stray(line, 200)
    wish = {"action": "shot", "slot_id": str(line.field.slots["1B"])}
    made = await ruled(client, line, f"landing/{landing}", **wish)
    await undone(client, line, made)
    again = await ruled(client, line, f"landing/{landing}", **wish)
    assert again["shot_id"] == made["shot_id"]
    assert await outcome(client, again["shot_id"]) == ("landed", 10, "X")


async def test_a_landing_at_the_wrong_target_can_be_its_archers_shot(
    client: AsyncClient, line: Range
) -> None:
    landing = await stray(line, 200)
    slot_id = str(line.field.slots["2A"])
    made = await ruled(client, line, f"landing/{landing}", action="shot", slot_id=slot_id)
    await ruled(client, line, f"shot/{made['shot_id']}", action="score", score=0)
    assert await total(client, line.field, "2A") == (0, 1)


async def test_a_dismissed_landing_leaves_the_list_and_is_still_its_releases(
    client: AsyncClient, line: Range
) -> None:
    landing = await stray(line, 200)
    made = await ruled(client, line, f"landing/{landing}", action="dismiss")
    assert (await listed(client, line.field), made["before"]) == ([], [])
    release = as_if_received_then(line.field.release(199.6))
    await line.say(release)
    assert (await shown(client, shot_id(release)))["landing_event_id"] == landing


async def test_a_dismissal_that_is_taken_back_lists_the_landing_again(
    client: AsyncClient, line: Range
) -> None:
    landing = await stray(line, 200)
    await undone(client, line, await ruled(client, line, f"landing/{landing}", action="dismiss"))
    assert await listed(client, line.field) == [landing]


async def test_two_places_are_swapped_for_some_time(client: AsyncClient, line: Range) -> None:
    shots = [await hit(line, at) for at in (10, 50, 90)]
    theirs = await hit(line, 60, "1B", x=100)
    slots = [str(line.field.slots[place]) for place in ("1A", "1B")]
    start = instant(line.field.starts_at)
    times = [rfc3339(start + timedelta(seconds=at)) for at in (40, 80)]
    made = await ruled(
        client,
        line,
        f"session/{line.field.session_id}",
        action="swap",
        slot_ids=slots,
        since=times[0],
        until=times[1],
    )
    assert (made["slot_ids"], [made["since"], made["until"]]) == (slots, times)
    assert [shot["id"] for shot in made["before"]] == [shots[1], theirs]
    whose = [(await shown(client, shot))["slot_id"] for shot in (*shots, theirs)]
    assert whose == [slots[0], slots[1], slots[0], slots[0]]
    assert await total(client, line.field, "1A") == (29, 3)
    assert await total(client, line.field, "1B") == (10, 1)
    later = await hit(line, 70)
    assert (await shown(client, later))["slot_id"] == slots[1]
    await undone(client, line, made)
    assert await total(client, line.field, "1B") == (9, 1)


async def test_a_swap_without_times_is_for_all_of_the_session(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    slots = [str(line.field.slots[place]) for place in ("1A", "1B")]
    path = f"session/{line.field.session_id}"
    made = await ruled(client, line, path, action="swap", slot_ids=slots)
    assert (made["since"], made["until"]) == (None, None)
    assert (await shown(client, shot))["slot_id"] == slots[1]
    kept = data(await client.get(f"/api/v0/ruling/{made['id']}"))
    assert [each["slot_id"] for each in kept["after"]] == [slots[1]]


async def test_what_is_done_already_is_a_conflict(client: AsyncClient, line: Range) -> None:
    shot = await hit(line, 10)
    path = f"shot/{shot}"
    nothing = f"shot {shot}: no ruling on it stands, so there is none to take back"
    assert await refused(client, path, action="restore") == (409, [nothing])
    void = await ruled(client, line, path, action="void")
    voided = (409, [f"shot {shot}: a judge voided it; restore it first"])
    assert await refused(client, path, action="void") == voided
    assert await refused(client, path, action="score", score=9) == voided
    await undone(client, line, void)
    url = f"/api/v0/ruling/{void['id']}/undo"
    said = failure(await client.post(url, json=WHY))
    assert said == (409, [f"ruling {void['id']}: was taken back already"])


async def test_a_landing_that_a_ruling_gave_away_is_not_given_to_another(
    client: AsyncClient, line: Range
) -> None:
    shot, other, landing = await missed(line, 10), await missed(line, 50), await stray(line, 200)
    await ruled(client, line, f"landing/{landing}", action="give", shot_id=shot)
    said = (
        409,
        [f"landing {landing}: was ruled to be that of shot {shot}; take that back first"],
    )
    give = {"action": "give", "shot_id": other}
    assert await refused(client, f"landing/{landing}", **give) == said
    wish = {"action": "assign_landing", "landing_event_id": landing}
    assert await refused(client, f"shot/{other}", **wish) == said
    make = {"action": "shot", "slot_id": str(line.field.slots["1A"])}
    assert await refused(client, f"landing/{landing}", **make) == said
    assert await refused(client, f"landing/{landing}", action="dismiss") == said


async def test_only_what_is_nobodys_is_dismissed_and_once(client: AsyncClient, line: Range) -> None:
    shot, landing = await hit(line, 10), await stray(line, 200)
    its = (await shown(client, shot))["landing_event_id"]
    said = await refused(client, f"landing/{its}", action="dismiss")
    assert said == (409, [f"landing {its}: is that of shot {shot}"])
    await ruled(client, line, f"landing/{landing}", action="dismiss")
    said = await refused(client, f"landing/{landing}", action="dismiss")
    assert said == (409, [f"landing {landing}: was dismissed already"])


async def test_a_shot_that_was_made_of_a_landing_has_no_other(
    client: AsyncClient, line: Range
) -> None:
    landing, second = await stray(line, 200), await stray(line, 300)
    wish = {"action": "shot", "slot_id": str(line.field.slots["1B"])}
    shot = (await ruled(client, line, f"landing/{landing}", **wish))["shot_id"]
    said = await refused(client, f"landing/{second}", action="give", shot_id=shot)
    assert said == (409, [f"shot {shot}: was made of a landing, and has that and no other"])


async def test_a_shot_whose_release_is_gone_is_not_ruled_on(
    client: AsyncClient, line: Range
) -> None:
    shot = await hit(line, 10)
    await ruled(client, line, f"shot/{shot}", action="score", score=7)
    end = {"end_time": rfc3339(instant(line.field.starts_at) + timedelta(seconds=1))}
    session = f"/api/v0/session/{line.field.session_id}"
    data(await client.patch(session, json=end))
    await line.say()
    assert await outcome(client, shot) == ("voided", None, None)
    said = await refused(client, f"shot/{shot}", action="score", score=9)
    assert said == (409, [f"shot {shot}: what began it makes no shot any more"])
    data(await client.patch(session, json={"is_opened": True}))
    await line.say()
    assert await outcome(client, shot) == ("landed", 7, "7")


async def test_what_belongs_to_no_session_is_not_ruled_on(
    client: AsyncClient, line: Range, pool: Pool
) -> None:
    landing, second = await stray(line, 200), await stray(line, 300)
    half = rfc3339(instant(line.field.starts_at) + timedelta(seconds=250))
    data(await client.patch(f"/api/v0/session/{line.field.session_id}", json={"end_time": half}))
    outside = f"landing {second}: lies outside the session's start and end; put these right"
    assert await refused(client, f"landing/{second}", action="dismiss") == (409, [outside])
    async with pool.acquire() as conn:
        await conn.execute("DELETE FROM reader_binding")
    unbound = (
        f"landing {landing}: its reader was bound to nothing at that time; bind it to its target "
        "for that time"
    )
    assert await refused(client, f"landing/{landing}", action="dismiss") == (409, [unbound])


async def test_what_is_no_landing_is_not_found(client: AsyncClient, line: Range) -> None:
    release = as_if_received_then(line.field.release(10))
    await line.say(release)
    no_landing = await refused(client, f"landing/{release.event_id}", action="dismiss")
    assert no_landing == (404, [f"landing {release.event_id}: not found"])


async def test_what_nobody_knows_is_not_found(client: AsyncClient, line: Range) -> None:
    assert await refused(client, f"shot/{UNKNOWN}", action="void") == (
        404,
        [f"shot {UNKNOWN}: not found"],
    )
    assert await refused(client, f"landing/{UNKNOWN}", action="dismiss") == (
        404,
        [f"landing {UNKNOWN}: not found"],
    )
    swap = {"action": "swap", "slot_ids": [str(s) for s in list(line.field.slots.values())[:2]]}
    assert await refused(client, f"session/{UNKNOWN}", **swap) == (
        404,
        [f"session {UNKNOWN}: not found"],
    )
    for answer in (
        await client.get(f"/api/v0/ruling/{UNKNOWN}"),
        await client.post(f"/api/v0/ruling/{UNKNOWN}/undo", json=WHY),
    ):
        assert failure(answer) == (404, [f"ruling {UNKNOWN}: not found"])
    answer = await client.get(f"/api/v0/session/{UNKNOWN}/ruling")
    assert failure(answer) == (404, [f"session {UNKNOWN}: not found"])


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"action": "score"}, "body.score: is missing for the action score"),
        ({"action": "move"}, "body.slot_id: is missing for the action move"),
        ({"action": "move", "slot_id": None}, "body.slot_id: must be a UUID"),
        (
            {"action": "assign_landing"},
            "body.landing_event_id: is missing for the action assign_landing",
        ),
        ({"action": "void", "score": 9}, "body.score: is not a field of the action void"),
        ({"action": "score", "score": 9.5}, "body.score: must be a whole number"),
        ({"action": "score", "score": "9"}, "body.score: must be a whole number"),
        ({"action": "move", "slot_id": UNKNOWN}, "body.slot_id: no such slot"),
        (
            {"action": "assign_landing", "landing_event_id": UNKNOWN},
            "body.landing_event_id: no such landing",
        ),
        (
            {"action": "score", "score": 12},
            "body.score: the butt's faces have only X (10), 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, M (0)",
        ),
        (
            {"action": "score", "score": 9, "label": "X"},
            "body.label: does not go with this score; the butt's faces have X (10), 10, 9, 8, 7, "
            "6, 5, 4, 3, 2, 1, M (0)",
        ),
        (
            {"action": "score", "score": 9, "is_x": True},
            "body.is_x: does not go with this score; the butt's faces have X (10), 10, 9, 8, 7, 6, "
            "5, 4, 3, 2, 1, M (0)",
        ),
        ({"action": "void", "reason": ""}, "body.reason: must have at least 1 character"),
        ({"action": "void", "reason": " \n"}, "body.reason: must have at least 1 character"),
        ({"action": "void", "reason": "x" * 501}, "body.reason: must have at most 500 characters"),
        (
            {"action": "swap"},
            "body.action: must be 'score', 'assign_landing', 'void', 'restore' or 'move'",
        ),
        ({"action": "void", "why": "?"}, "body.why: is not a known field"),
    ],
)
async def test_what_a_judge_cannot_mean_of_a_shot_is_refused(
    client: AsyncClient, line: Range, wish: Json, error: str
) -> None:
    shot = await hit(line, 10)
    assert await refused(client, f"shot/{shot}", **wish) == (422, [error])


async def test_a_reason_is_needed(client: AsyncClient, line: Range) -> None:
    shot = await hit(line, 10)
    answer = await client.post(f"/api/v0/shot/{shot}/ruling", json={"action": "void"})
    assert failure(answer) == (422, ["body.reason: is missing"])


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"action": "give"}, "body.shot_id: is missing for the action give"),
        ({"action": "give", "shot_id": None}, "body.shot_id: must be a UUID"),
        ({"action": "give", "shot_id": UNKNOWN}, "body.shot_id: no such shot"),
        ({"action": "shot"}, "body.slot_id: is missing for the action shot"),
        ({"action": "shot", "slot_id": UNKNOWN}, "body.slot_id: no such slot"),
        (
            {"action": "dismiss", "slot_id": UNKNOWN},
            "body.slot_id: is not a field of the action dismiss",
        ),
        ({"action": "void"}, "body.action: must be 'give', 'shot' or 'dismiss'"),
    ],
)
async def test_what_a_judge_cannot_mean_of_a_landing_is_refused(
    client: AsyncClient, line: Range, wish: Json, error: str
) -> None:
    landing = await stray(line, 200)
    assert await refused(client, f"landing/{landing}", **wish) == (422, [error])


async def test_what_lies_at_another_target_is_refused(client: AsyncClient, line: Range) -> None:
    shot, landing = await missed(line, 10), await stray(line, 200, lane=2)
    wish = {"action": "assign_landing", "landing_event_id": landing}
    said = await refused(client, f"shot/{shot}", **wish)
    assert said == (422, ["body.landing_event_id: landed at another target than the shot's"])
    said = await refused(client, f"landing/{landing}", action="give", shot_id=shot)
    assert said == (422, ["body.shot_id: was shot at another target than it landed at"])


async def test_what_stands_in_another_session_is_refused(
    client: AsyncClient, line: Range, pool: Pool
) -> None:
    shot = await hit(line, 10)
    async with pool.acquire() as conn:
        other = await put_up(conn, letters="AB")
    slot_id, mine = str(other.slots["1A"]), str(line.field.slots["1A"])
    said = await refused(client, f"shot/{shot}", action="move", slot_id=slot_id)
    assert said == (422, ["body.slot_id: stands in another session"])
    path = f"session/{line.field.session_id}"
    said = await refused(client, path, action="swap", slot_ids=[mine, slot_id])
    assert said == (422, ["body.slot_ids.1: stands in another session"])


async def test_what_cannot_be_swapped_is_refused(client: AsyncClient, line: Range) -> None:
    path, start = f"session/{line.field.session_id}", rfc3339(instant(line.field.starts_at))
    one, other, far = (str(line.field.slots[place]) for place in ("1A", "1B", "2A"))
    cases: Sequence[tuple[Json, str]] = [
        ({"slot_ids": [one, one]}, "body.slot_ids: must be two different slots"),
        ({"slot_ids": [one, UNKNOWN]}, "body.slot_ids.1: no such slot"),
        (
            {"slot_ids": [one, far]},
            "body.slot_ids: stand at different targets; bind their readers to the right places",
        ),
        (
            {"slot_ids": [one, other], "since": start, "until": start},
            "body.until: must lie after since",
        ),
        ({"slot_ids": [one]}, "body.slot_ids: must have at least 2 items, not 1"),
    ]
    for wish, error in cases:
        assert await refused(client, path, action="swap", **wish) == (422, [error])


async def test_rulings_are_listed_in_the_order_in_which_they_were_made(
    client: AsyncClient, line: Range
) -> None:
    shot, other = await hit(line, 10), await hit(line, 50)
    first = await ruled(client, line, f"shot/{shot}", action="score", score=9)
    second = await ruled(client, line, f"shot/{other}", action="score", score=8)
    third = await ruled(client, line, f"shot/{shot}", action="void")
    await undone(client, line, first)
    url = f"/api/v0/session/{line.field.session_id}/ruling"

    async def ids(**query: str) -> list[str]:
        return [row["id"] for row in data(await client.get(url, params=query))["items"]]

    made = [each["id"] for each in (first, second, third)]
    assert await ids() == made
    assert await ids(shot_id=shot) == [made[0], made[2]]
    assert await ids(stands="true") == made[1:]
    assert await ids(stands="false") == made[:1]
    page = data(await client.get(url, params={"limit": 2}))
    assert [row["id"] for row in page["items"]] == made[:2]
    assert await ids(cursor=page["next_cursor"]) == made[2:]


REQUESTS = (
    ("POST", f"/api/v0/shot/{UNKNOWN}/ruling"),
    ("POST", f"/api/v0/landing/{UNKNOWN}/ruling"),
    ("POST", f"/api/v0/session/{UNKNOWN}/ruling"),
    ("POST", f"/api/v0/ruling/{UNKNOWN}/undo"),
    ("GET", f"/api/v0/ruling/{UNKNOWN}"),
    ("GET", f"/api/v0/session/{UNKNOWN}/ruling"),
)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.GATEWAY, Role.READER])
async def test_only_judges_and_administrators_rule(as_role: AsRole, role: Role) -> None:
    somebody = await as_role(role)
    said = [failure(await somebody.request(*request))[0] for request in REQUESTS]
    assert said == [403] * len(REQUESTS)


async def test_nobody_rules_without_a_token(anonymous: AsyncClient) -> None:
    said = [failure(await anonymous.request(*request))[0] for request in REQUESTS]
    assert said == [401] * len(REQUESTS)


async def test_it_is_kept_who_ruled(opened: Opened, line: Range, pool: Pool) -> None:
    async with pool.acquire() as conn:
        one = await create_token(conn, Role.JUDGE, "chair")
        other = await create_token(conn, Role.JUDGE, "line 3")
    judge, second = await opened(one.token), await opened(other.token)
    shot = await hit(line, 10)
    made = await ruled(judge, line, f"shot/{shot}", action="score", score=9)
    assert made["made_by"] == {"token_id": str(one.id), "name": "chair"}
    back = await undone(second, line, made)
    assert back["undone"]["by"] == {"token_id": str(other.id), "name": "line 3"}


async def manual_ends(client: AsyncClient, field: Field, *spans: tuple[float, float]) -> None:
    """A judge opened and closed these ends, each of two arrows."""
    session = f"/api/v0/session/{field.session_id}"
    data(
        await client.patch(session, json={"rules": {"arrows_per_end": 2, "end_control": "manual"}})
    )
    for begins, ends in spans:
        at = [rfc3339(instant(field.starts_at) + timedelta(seconds=s)) for s in (begins, ends)]
        data(await client.post(f"{session}/end", json={"opened_at": at[0], "closed_at": at[1]}))


@pytest.mark.parametrize(("at", "number", "flagged"), [(150, 2, False), (95, 1, True)])
async def test_what_is_given_to_another_butts_archer_is_of_the_end_that_it_was_shot_in(
    client: AsyncClient, line: Range, at: float, number: int, flagged: bool
) -> None:
    await manual_ends(client, line.field, (1, 90), (100, 190))
    shot = await hit(line, at, "2A")
    await ruled(client, line, f"shot/{shot}", action="move", slot_id=str(line.field.slots["1A"]))
    found = await shown(client, shot)
    assert (found["end_number"], "out_of_end" in found["flags"]) == (number, flagged)
    assert (shot in await listed(client, line.field)) == flagged


async def test_a_late_release_beside_a_landing_that_was_made_a_shot_is_on_the_list(
    client: AsyncClient, line: Range
) -> None:
    landing = await stray(line, 10)
    slot = str(line.field.slots["1A"])
    await ruled(client, line, f"landing/{landing}", action="shot", slot_id=slot)
    assert await listed(client, line.field) == []
    late = await missed(line, 9.6)
    assert await listed(client, line.field) == [late]
    assert "duplicate_suspect" in (await shown(client, late))["flags"]


async def test_an_arrow_out_of_every_end_counts_once_a_judge_says_what_it_counts(
    client: AsyncClient, line: Range
) -> None:
    await manual_ends(client, line.field, (1, 90))
    shot = await hit(line, 95)
    path = f"shot/{shot}"
    landing = (await shown(client, shot))["landing_event_id"]
    for said in (
        {"action": "move", "slot_id": str(line.field.slots["1B"])},
        {"action": "move", "slot_id": str(line.field.slots["1A"])},
        {"action": "assign_landing", "landing_event_id": landing},
    ):
        await ruled(client, line, path, **said)
        assert [await total(client, line.field, each) for each in ("1A", "1B")] == [(0, 0)] * 2
        assert await listed(client, line.field) == [shot]
    made = await ruled(client, line, path, action="score", score=10, label="X")
    assert await total(client, line.field, "1A") == (10, 1)
    assert "out_of_end" not in (await shown(client, shot))["flags"]
    await undone(client, line, made)
    assert await total(client, line.field, "1A") == (0, 0)
    assert await listed(client, line.field) == [shot]


async def test_so_does_one_that_was_given_to_another_butts_archer(
    client: AsyncClient, line: Range
) -> None:
    await manual_ends(client, line.field, (1, 90))
    shot = await hit(line, 95, "2A")
    await ruled(client, line, f"shot/{shot}", action="move", slot_id=str(line.field.slots["1A"]))
    assert await total(client, line.field, "1A") == (0, 0)
    await ruled(client, line, f"shot/{shot}", action="score", score=9)
    assert await total(client, line.field, "1A") == (9, 1)
    assert "out_of_end" not in (await shown(client, shot))["flags"]
