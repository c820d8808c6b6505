"""The review list: what a judge must look at."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from core.domain.review import MINOR, Reason
from core.domain.values import EventType, ShotFlag, Status
from core.models.instants import instant
from core.postgres import Pool
from core.schema.inbox import AcceptedEvent
from core.schema.token import Role
from core.schema.types import rfc3339
from core.settings import Settings
from tests.butts import Butts, add_shot, set_up
from tests.endpoints.conftest import AsRole
from tests.fields import Field, as_if_received_then, now, put_up
from tests.resources import UNKNOWN, Json, data, failure, make
from tests.workers.conftest import Range
from workers.main import close_deps, open_deps

# A judge said what a shot counts.
RULING_INSERT = """
INSERT INTO ruling (
    id, session_id, target_id, action, shot_id, score, label, is_x, begins, ends, reason, made_by,
    made_at, before
) VALUES ($1, $2, $3, 'score', $4, 9, '9', false, now(), now(), 'seen', 'judge', now(), '[]')
"""


@pytest.fixture(name="line")
async def make_line(settings: Settings) -> AsyncIterator[Range]:
    """Two butts with two archers each, and workers."""
    deps = await open_deps(settings)
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2, letters="AB")
    yield Range(deps, field)
    await close_deps(deps)


@pytest.fixture(name="butts")
async def make_butts(pool: Pool) -> Butts:
    """A session with shots of our own making."""
    async with pool.acquire() as conn:
        return await set_up(conn)


async def flag(pool: Pool, shot_id: UUID, *flags: str) -> None:
    """Give a shot these flags."""
    async with pool.acquire() as conn:
        await conn.execute("UPDATE shot SET flags = $2 WHERE id = $1", shot_id, list(flags))


async def listed(client: AsyncClient, session_id: UUID, **query: object) -> Sequence[Json]:
    """The first page."""
    params = {name: str(value) for name, value in query.items()}
    page = data(await client.get(f"/api/v0/session/{session_id}/review", params=params))
    assert page["next_cursor"] is None
    items: Sequence[Json] = page["items"]
    return items


async def ids(client: AsyncClient, session_id: UUID, **query: object) -> list[str]:
    """The ids of the first page."""
    return [row["id"] for row in await listed(client, session_id, **query)]


def hit(field: Field, at: float, lane: int = 1, x: float = 0.0) -> AcceptedEvent:
    """Something hit a butt, long ago."""
    return as_if_received_then(field.landed(at, lane, x=x))


async def end(client: AsyncClient, field: Field, at: float) -> None:
    """End the session so many seconds after its start."""
    times = {"end_time": rfc3339(instant(field.starts_at) + timedelta(seconds=at))}
    data(await client.patch(f"/api/v0/session/{field.session_id}", json=times))


async def test_a_session_in_which_all_is_well_has_nothing_to_review(
    client: AsyncClient, line: Range
) -> None:
    await line.say(line.field.release(10), line.field.landed(10.4))
    assert await listed(client, line.field.session_id) == []


async def test_a_flagged_shot_is_shown_whole(client: AsyncClient, butts: Butts, pool: Pool) -> None:
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, butts, 2, 10, score=9)
    await flag(pool, shot_id, "arrow_unknown", "line_call")
    (row,) = await listed(client, butts.session_id)
    shot = data(await client.get(f"/api/v0/shot/{shot_id}"))
    assert row == {
        "id": str(shot_id),
        "kind": "shot",
        "reasons": ["line_call", "arrow_unknown"],
        "explanation": "The hit is nearer to a line than the reader can tell: look at the face, "
        "then confirm the score or rule another.",
        "at": "2026-05-01T10:00:10.000Z",
        "target_id": str(butts.target_ids[1]),
        "lane": 2,
        "slot_id": str(butts.slot_ids[2]),
        "shot": shot,
        "landing": None,
        "event": None,
    }


@pytest.mark.parametrize("reason", [Reason(f) for f in ShotFlag if f is not ShotFlag.RULED])
async def test_a_shot_is_listed_for_every_flag_that_may_change_its_score(
    client: AsyncClient, butts: Butts, pool: Pool, reason: Reason
) -> None:
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, butts, 0, 10, score=9)
    await flag(pool, shot_id, reason)
    usual = [] if reason in MINOR else [str(shot_id)]
    assert await ids(client, butts.session_id) == usual
    assert await ids(client, butts.session_id, reason=reason) == [str(shot_id)]


async def test_an_unresolved_shot_is_listed(client: AsyncClient, butts: Butts, pool: Pool) -> None:
    async with pool.acquire() as conn:
        shot_id = await add_shot(conn, butts, 0, 10)
        await add_shot(conn, butts, 0, 20)
        await conn.execute("UPDATE shot SET status = 'unresolved' WHERE id = $1", shot_id)
    (row,) = await listed(client, butts.session_id)
    assert (row["id"], row["reasons"]) == (str(shot_id), ["unresolved"])
    assert await ids(client, butts.session_id, reason="unresolved") == [str(shot_id)]


@pytest.mark.parametrize("reason", [None, "ambiguous", "arrow_unknown"])
async def test_what_a_judge_has_given_a_score_or_voided_is_not_listed(
    client: AsyncClient, butts: Butts, pool: Pool, reason: str | None
) -> None:
    query = {} if reason is None else {"reason": reason}
    async with pool.acquire() as conn:
        ruled = await add_shot(conn, butts, 0, 10, score=9)
        await conn.execute(RULING_INSERT, uuid4(), butts.session_id, butts.target_ids[0], ruled)
        voided = await add_shot(conn, butts, 0, 20)
        await conn.execute("UPDATE shot SET status = $1 WHERE id = $2", Status.VOIDED, voided)
    await flag(pool, ruled, "ambiguous", "arrow_unknown", "ruled")
    await flag(pool, voided, "ambiguous", "arrow_unknown")
    assert await ids(client, butts.session_id, **query) == []


@pytest.mark.parametrize("reason", [None, "extra_arrow", "arrow_unknown"])
async def test_another_ruling_leaves_on_the_list_what_it_does_not_answer(
    client: AsyncClient, butts: Butts, pool: Pool, reason: str | None
) -> None:
    query = {} if reason is None else {"reason": reason}
    async with pool.acquire() as conn:
        moved = await add_shot(conn, butts, 0, 10, score=9)
    await flag(pool, moved, "extra_arrow", "arrow_unknown", "ruled")
    (row,) = await listed(client, butts.session_id, **query)
    assert (row["id"], row["reasons"]) == (str(moved), ["extra_arrow", "arrow_unknown"])


async def test_reports_of_one_impact_are_one_row_without_a_slot(
    client: AsyncClient, line: Range
) -> None:
    first, again = hit(line.field, 10, x=12), hit(line.field, 10.1, x=13)
    await line.say(first, again)
    (row,) = await listed(client, line.field.session_id)
    assert row.pop("explanation").startswith("Something hit the butt while no arrow was in the air")
    at = rfc3339(instant(first.ts))
    assert row == {
        "id": str(first.event_id),
        "kind": "landing",
        "reasons": ["no_release"],
        "at": at,
        "target_id": str(line.field.targets[1]),
        "lane": 1,
        "slot_id": None,
        "shot": None,
        "landing": {
            "landing_event_id": str(first.event_id),
            "landing_time": at,
            "x": 12.0,
            "y": 0.0,
            "arrow_id": None,
            "sigma_mm": None,
            "nearest_shot_id": None,
            "duplicates": [str(again.event_id)],
        },
        "event": None,
    }


async def test_a_landing_whose_release_may_still_come_is_not_listed(
    client: AsyncClient, line: Range
) -> None:
    just_now = (now() - line.field.starts_at) / 1_000_000
    await line.say(line.field.landed(just_now))
    assert await listed(client, line.field.session_id) == []


async def test_a_landing_that_finds_its_release_leaves_the_list(
    client: AsyncClient, line: Range
) -> None:
    landing = hit(line.field, 10.4)
    await line.say(landing)
    assert await ids(client, line.field.session_id) == [str(landing.event_id)]
    await line.say(line.field.release(10))
    assert await listed(client, line.field.session_id) == []


async def test_a_release_after_the_end_is_listed_with_its_place(
    client: AsyncClient, line: Range
) -> None:
    await end(client, line.field, 60)
    late = line.field.release(61, "2B")
    await line.say(line.field.event("2B bow", EventType.ENGAGE, 60.5), late)
    (row,) = await listed(client, line.field.session_id)
    assert (row["id"], row["kind"], row["reasons"]) == (
        str(late.event_id),
        "event",
        ["outside_session"],
    )
    place = {
        "target_id": str(line.field.targets[2]),
        "slot_id": str(line.field.slots["2B"]),
    }
    assert {name: row[name] for name in place} == place
    assert (row["lane"], row["at"]) == (2, rfc3339(instant(late.ts)))
    (shown,) = data(await client.get("/api/v0/event", params={"placed": "false", "limit": 1}))[
        "items"
    ]
    assert row["event"]["place"] == shown["place"] == "outside_session"
    assert row["event"] | {"event_id": None} == (
        row["event"] | {"event_id": None, "session_id": str(line.field.session_id)} | place
    )


async def test_what_was_shot_in_time_may_land_after_the_end_and_is_not_listed(
    client: AsyncClient, line: Range
) -> None:
    await end(client, line.field, 60)
    late = hit(line.field, 63.5)
    await line.say(line.field.release(59.9), line.field.landed(60.3), late)
    assert await ids(client, line.field.session_id) == [str(late.event_id)]


async def test_a_release_before_the_start_is_listed_at_the_place_that_its_reader_then_had(
    client: AsyncClient, line: Range
) -> None:
    early = line.field.release(-30)
    await line.say(early)
    (row,) = await listed(client, line.field.session_id)
    assert (row["reasons"], row["event"]["place"]) == (["unbound"], "unbound")
    assert row["slot_id"] == str(line.field.slots["1A"])
    assert [row["event"][name] for name in ("session_id", "target_id", "slot_id")] == [None] * 3


async def test_a_days_distance_from_the_session_is_enough_to_be_none_of_its_business(
    client: AsyncClient, line: Range
) -> None:
    day = 24 * 3600
    near, far = line.field.release(-day + 1), line.field.release(-day - 1)
    await line.say(near, far)
    assert await ids(client, line.field.session_id) == [str(near.event_id)]


async def test_a_landing_while_its_reader_was_bound_to_nothing_is_listed_until_it_is_bound(
    client: AsyncClient, line: Range, pool: Pool
) -> None:
    reader_id, at = line.field.readers["1 target"], instant(line.field.starts_at + 20_000_000)
    async with pool.acquire() as conn:
        await conn.execute(
            "UPDATE reader_binding SET valid_to = $2 WHERE reader_id = $1", reader_id, at
        )
    landing, silent = hit(line.field, 30), line.field.event("1A arrow", EventType.IDENTIFIED, -5)
    await line.say(landing, silent)
    (row,) = await listed(client, line.field.session_id)
    assert (row["id"], row["kind"], row["reasons"]) == (
        str(landing.event_id),
        "event",
        ["unbound"],
    )
    assert (row["target_id"], row["slot_id"]) == (str(line.field.targets[1]), None)
    place = {"target_id": str(line.field.targets[1]), "bound_from": rfc3339(at)}
    data(await client.patch(f"/api/v0/reader/{reader_id}", json=place))
    await line.say()
    (row,) = await listed(client, line.field.session_id)
    assert (row["id"], row["kind"]) == (str(landing.event_id), "landing")


async def test_between_two_places_in_one_session_an_event_is_listed_once(
    client: AsyncClient, line: Range, pool: Pool
) -> None:
    reader_id, begin = line.field.readers["1A bow"], line.field.starts_at
    async with pool.acquire() as conn:
        await conn.execute(
            "UPDATE reader_binding SET valid_to = $2 WHERE reader_id = $1",
            *(reader_id, instant(begin + 20_000_000)),
        )
        await conn.execute(
            "INSERT INTO reader_binding (id, reader_id, slot_id, target_id, valid_from)"
            " VALUES ($1, $2, $3, $4, $5)",
            *(uuid4(), reader_id, line.field.slots["2A"], line.field.targets[2]),
            instant(begin + 40_000_000),
        )
    lost = line.field.release(30)
    await line.say(lost)
    (row,) = await listed(client, line.field.session_id)
    assert (row["id"], row["slot_id"]) == (str(lost.event_id), str(line.field.slots["1A"]))


async def test_readers_of_other_sessions_are_not_listed(
    client: AsyncClient, line: Range, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        other = await put_up(conn)
    await line.say(line.field.release(-30))
    await make(client, "reader", {"kind": "bow", "name": "a bow"})
    assert await listed(client, other.session_id) == []
    assert len(await listed(client, line.field.session_id)) == 1


async def something_of_each_kind(line: Range) -> list[str]:
    """Ids, in the order of time: an event, a landing, an unresolved shot at 1A, a landing at the
    second butt."""
    early, stray = line.field.release(-10, "2B"), hit(line.field, 5)
    await line.say(early, stray, line.field.release(10, "1A"), hit(line.field, 50, lane=2))
    (known,) = await line.shots()
    async with line.deps.pool.acquire() as conn:
        last = await conn.fetchval(
            "SELECT landing_event_id FROM unmatched_landing WHERE target_id = $1",
            line.field.targets[2],
        )
    return [str(each) for each in (early.event_id, stray.event_id, known.shot.id, last)]


async def test_all_kinds_are_listed_in_the_order_of_time(client: AsyncClient, line: Range) -> None:
    expected = await something_of_each_kind(line)
    rows = await listed(client, line.field.session_id)
    assert [row["id"] for row in rows] == expected
    assert [row["kind"] for row in rows] == ["event", "landing", "shot", "landing"]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_follow_each_other_without_gap_or_repeat(
    client: AsyncClient, line: Range, limit: int
) -> None:
    expected, found, cursor = await something_of_each_kind(line), list[str](), None
    while not found or cursor:
        query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        path = f"/api/v0/session/{line.field.session_id}/review"
        page = data(await client.get(path, params=query))
        found += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert found == expected


async def test_what_is_of_one_target_is_listed_alone(client: AsyncClient, line: Range) -> None:
    event, stray, shot, last = await something_of_each_kind(line)
    session_id, targets = line.field.session_id, line.field.targets
    assert await ids(client, session_id, target_id=targets[1]) == [stray, shot]
    assert await ids(client, session_id, target_id=targets[2]) == [event, last]


async def test_what_is_of_one_slot_is_listed_alone(client: AsyncClient, line: Range) -> None:
    event, _, shot, _ = await something_of_each_kind(line)
    session_id, slots = line.field.session_id, line.field.slots
    assert await ids(client, session_id, slot_id=slots["1A"]) == [shot]
    assert await ids(client, session_id, slot_id=slots["2B"]) == [event]


async def test_what_has_one_reason_is_listed_alone(client: AsyncClient, line: Range) -> None:
    event, stray, shot, last = await something_of_each_kind(line)
    session_id = line.field.session_id
    assert await ids(client, session_id, reason="unbound") == [event]
    assert await ids(client, session_id, reason="no_release") == [stray, last]
    assert await ids(client, session_id, reason="reader_offline") == [shot]
    assert await ids(client, session_id, reason="engage_missing") == [shot]
    assert await ids(client, session_id, reason="outside_session") == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"reason": "ugly"}, "query.reason: must be 'unresolved', "),
        ({"reason": "ruled"}, "query.reason: must be 'unresolved', "),
        ({"target_id": "1"}, "query.target_id: must be a UUID"),
        ({"slot_id": "1A"}, "query.slot_id: must be a UUID"),
        ({"limit": "0"}, "query.limit: must be greater than or equal to 1"),
        ({"cursor": "x"}, "query.cursor: is not a cursor that this list gave"),
    ],
)
async def test_a_wish_that_means_nothing_is_refused(
    client: AsyncClient, butts: Butts, query: dict[str, str], error: str
) -> None:
    answer = await client.get(f"/api/v0/session/{butts.session_id}/review", params=query)
    status, errors = failure(answer)
    assert (status, errors[0][: len(error)]) == (422, error)


async def test_an_unknown_session_has_no_review_list(client: AsyncClient) -> None:
    answer = await client.get(f"/api/v0/session/{UNKNOWN}/review")
    assert failure(answer) == (404, [f"session {UNKNOWN}: not found"])


async def test_without_a_token_nothing_is_reviewed_though_the_results_are_public(
    anonymous: AsyncClient, butts: Butts
) -> None:
    answer = await anonymous.get(f"/api/v0/session/{butts.session_id}/review")
    assert failure(answer) == (401, ["Authorization: a bearer token is needed"])


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.READER, 403), (Role.GATEWAY, 403), (Role.VIEWER, 403), (Role.JUDGE, 200)],
)
async def test_the_list_is_for_judges(
    as_role: AsRole, butts: Butts, role: Role, status: int
) -> None:
    client = await as_role(role)
    answer = await client.get(f"/api/v0/session/{butts.session_id}/review")
    assert answer.status_code == status
