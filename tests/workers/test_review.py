"""Landings that are nobody's, and what judges are told."""

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest

from core.domain.review import Reason
from core.domain.values import EventType
from core.feed import Feed
from core.models.instants import instant
from core.models.recompute import request_recompute
from core.postgres import Connection
from core.schema.inbox import AcceptedEvent
from core.schema.types import rfc3339
from tests.fields import Field, as_if_received_then, now, put_up
from tests.workers.conftest import Range, dying_before_it_tells, eventually
from workers.deps import Deps
from workers.drain import drain
from workers.relay import relay
from workers.review import tell_due
from workers.sweep import sweep

LANDING_SELECT = "SELECT * FROM unmatched_landing ORDER BY landed_at, landing_event_id"


async def kept(line: Range) -> Sequence[Mapping[str, Any]]:
    """The landings that are nobody's."""
    async with line.deps.pool.acquire() as conn:
        return [dict(row) for row in await conn.fetch(LANDING_SELECT)]


async def reasons(line: Range) -> list[tuple[object, str]]:
    """Those landings' ids and reasons."""
    return [(row["landing_event_id"], row["reason"]) for row in await kept(line)]


async def told(line: Range) -> list[dict[str, Any]]:
    """The rows of the review list that judges were told of."""
    frames = [json.loads(frame.text) for frame in await line.frames()]
    return [frame["data"]["review"] for frame in frames if frame["type"] == "review.created"]


async def told_ids(line: Range) -> list[str]:
    """The ids of those rows."""
    return [row["id"] for row in await told(line)]


def just_now(line: Range) -> float:
    """Now, in seconds after the session's start."""
    return (now() - line.field.starts_at) / 1_000_000


def long_ago(line: Range, at: float, x: float = 0.0) -> AcceptedEvent:
    """A landing that was received as it happened: nobody waits for its release any more."""
    return as_if_received_then(line.field.landed(at, x=x))


async def test_a_landing_without_a_release_is_kept_with_its_reason(line: Range) -> None:
    landing = long_ago(line, 10, x=12)
    await line.say(landing)
    (row,) = await kept(line)
    assert (row["landing_event_id"], row["reason"]) == (landing.event_id, "no_release")
    assert (row["session_id"], row["target_id"]) == (
        line.field.session_id,
        line.field.targets[1],
    )
    assert (row["landed_at"], row["x"], row["y"]) == (instant(landing.ts), 12, 0)


async def test_a_landing_that_is_a_shots_is_not_kept(line: Range) -> None:
    await line.say(line.field.release(10), line.field.landed(10.4))
    assert await kept(line) == []


async def test_a_judge_is_told_at_once_of_what_nobody_waits_for(line: Range) -> None:
    landing = long_ago(line, 10, x=12)
    await line.say(landing)
    (row,) = await told(line)
    assert row.pop("explanation").startswith("Something hit the butt while no arrow")
    at = rfc3339(instant(landing.ts))
    assert row == {
        "id": str(landing.event_id),
        "kind": "landing",
        "reasons": ["no_release"],
        "at": at,
        "target_id": str(line.field.targets[1]),
        "lane": 1,
        "slot_id": None,
        "shot": None,
        "landing": {
            "landing_event_id": str(landing.event_id),
            "landing_time": at,
            "x": 12.0,
            "y": 0.0,
            "arrow_id": None,
            "sigma_mm": None,
            "nearest_shot_id": None,
            "duplicates": [],
        },
        "event": None,
    }


async def test_a_landing_that_may_still_find_its_release_is_told_to_nobody(line: Range) -> None:
    landing = line.field.landed(just_now(line))
    await line.say(landing)
    await line.say(with_overdue=True)
    assert await reasons(line) == [(landing.event_id, "no_release")]
    assert await told(line) == []


async def test_what_a_release_never_came_for_is_told_when_its_time_is_up(
    line: Range, working: None
) -> None:
    del working
    landing = line.field.landed(just_now(line) - 2.4)
    await line.say(landing)
    assert await told(line) == []

    async def is_told() -> bool:
        return await told_ids(line) == [str(landing.event_id)]

    await eventually(is_told)


async def test_a_lost_timer_is_made_up_for_by_a_sweep(line: Range) -> None:
    landing = line.field.landed(just_now(line))
    await line.say(landing)
    await line.deps.valkey.delete("arq:queue")
    async with line.deps.pool.acquire() as conn:
        await conn.execute("UPDATE unmatched_landing SET deadline = now() - interval '1 second'")
    await sweep(line.deps)
    partition = line.deps.inbox.partition_of(line.field.targets[1])
    jobs = [await line.deps.valkey.get(key) for key in await line.deps.valkey.keys("arq:job:*")]
    asked = [job for job in map(json.loads, filter(None, jobs)) if job["f"] == "expire"]
    assert [list(job["a"]) for job in asked if job["a"][1] == 0] == [[partition, 0]]
    await drain(line.deps, partition, with_overdue=True)
    assert await told_ids(line) == [str(landing.event_id)]


async def test_a_late_release_takes_a_landing_off_the_list_before_it_was_told(line: Range) -> None:
    since = just_now(line)
    await line.say(line.field.landed(since))
    await line.say(line.field.release(since - 0.4))
    assert await kept(line) == []
    assert await told(line) == []
    assert [known.shot.label for known in await line.shots()] == ["X"]


async def test_a_late_release_takes_a_landing_off_the_list_after_it_was_told(line: Range) -> None:
    landing = long_ago(line, 10.4)
    await line.say(landing)
    assert await told_ids(line) == [str(landing.event_id)]
    await line.say(line.field.release(10))
    assert await kept(line) == []
    assert [known.shot.landing_event_id for known in await line.shots()] == [landing.event_id]


async def test_a_landing_that_is_learned_late_is_kept_and_told_though_others_follow_it(
    line: Range,
) -> None:
    field = line.field
    for at in (10, 30, 50):
        await line.say(field.release(at), field.landed(at + 0.4))
    landing = long_ago(line, 20)
    await line.say(landing)
    assert await reasons(line) == [(landing.event_id, "no_release")]
    assert await told_ids(line) == [str(landing.event_id)]


async def test_reports_of_one_impact_are_one_row_whichever_comes_first(line: Range) -> None:
    first, second, third = (long_ago(line, at, x) for at, x in ((10, 1), (10.1, 2), (10.15, 1)))
    await line.say(second)
    await line.say(third, first)
    (row,) = await kept(line)
    assert row["landing_event_id"] == first.event_id
    assert row["duplicates"] == [second.event_id, third.event_id]


async def test_the_same_events_again_write_and_tell_nothing(line: Range) -> None:
    said = [long_ago(line, 10), long_ago(line, 10.1), line.field.release(50)]
    await line.say(*said)
    before, frames = await kept(line), len(await line.frames())
    await line.say(*said)
    async with line.deps.pool.acquire() as conn, conn.transaction():
        await request_recompute(conn, [line.field.targets[1]])
    await line.say()
    assert await kept(line) == before
    assert len(await line.frames()) == frames


async def test_what_lies_beyond_a_windows_edge_stays_as_it_is(line: Range) -> None:
    near, far = long_ago(line, 10.5, x=90), long_ago(line, 100, x=90)
    await line.say(line.field.release(10), long_ago(line, 10.4), near, far)
    expected = [(near.event_id, "left_over"), (far.event_id, "no_release")]
    assert await reasons(line) == expected
    # Its window ends in the middle of what was derived before.
    later = long_ago(line, 14, x=40)
    await line.say(later)
    assert await reasons(line) == [expected[0], (later.event_id, "out_of_window"), expected[1]]


async def test_any_order_and_batching_ends_in_the_same_landings_of_nobody(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2, letters="AB")
    line, rng = Range(deps, field), random.Random(12)
    said: list[AcceptedEvent] = []
    for number in range(40):
        at, lane = 10 + number * 3.1, rng.choice([1, 2])
        if rng.random() < 0.5:
            said.append(field.release(at, f"{lane}{rng.choice('AB')}"))
        for _ in range(rng.choice([0, 1, 1, 2])):
            said.append(field.landed(at + rng.uniform(0.3, 5), lane, x=rng.choice([0, 200])))
    await line.say(*said)
    stamps = {"created_at", "updated_at", "is_published"}
    expected = [{k: v for k, v in row.items() if k not in stamps} for row in await kept(line)]
    await line.forget()
    mixed = said + rng.choices(said, k=20)
    rng.shuffle(mixed)
    while mixed:
        size = rng.randint(1, 6)
        await line.say(*mixed[:size])
        mixed = mixed[size:]
    found = [{k: v for k, v in row.items() if k not in stamps} for row in await kept(line)]
    assert found == expected
    assert {row["reason"] for row in found} >= {"no_release", "left_over", "out_of_window"}


async def test_a_landing_becomes_left_over_when_another_takes_its_release(line: Range) -> None:
    worse = long_ago(line, 11.2, x=50)
    await line.say(line.field.release(10), worse)
    assert await kept(line) == []
    await line.say(long_ago(line, 10.35))
    assert await reasons(line) == [(worse.event_id, "left_over")]


async def test_a_late_hit_names_the_shot_that_it_may_be_of(line: Range) -> None:
    await line.say(line.field.release(10))
    (known,) = await line.shots()
    await line.say(long_ago(line, 13.4))
    row = (await told(line))[-1]
    assert row["reasons"] == ["out_of_window"]
    assert row["landing"]["nearest_shot_id"] == str(known.shot.id)


async def test_a_reason_that_changes_is_not_told_again(line: Range) -> None:
    landing = long_ago(line, 13.4)
    await line.say(landing)
    await line.say(line.field.release(10))
    assert await reasons(line) == [(landing.event_id, "out_of_window")]
    assert [row["id"] for row in await told(line) if row["kind"] == "landing"] == [
        str(landing.event_id)
    ]


async def test_a_landing_leaves_the_list_with_its_reader(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
    line = Range(deps, field)
    landing = long_ago(line, 10)
    await line.say(landing)
    async with deps.pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "DELETE FROM reader_binding WHERE reader_id = $1", field.readers["2 target"]
        )
        await conn.execute(
            "UPDATE reader_binding SET target_id = $2 WHERE reader_id = $1",
            *(field.readers["1 target"], field.targets[2]),
        )
        await request_recompute(conn, list(field.targets.values()))
    await line.say()
    assert [row["target_id"] for row in await kept(line)] == [field.targets[2]]


async def test_a_request_id_travels_from_the_landing_to_the_frame(line: Range) -> None:
    request_id = uuid4()
    landing = line.field.event(
        "1 target", EventType.LANDED, 10, x=1.0, y=1.0, request_id=request_id
    )
    await line.say(as_if_received_then(landing))
    (frame,) = [json.loads(f.text) for f in await line.frames() if "review.created" in f.text]
    assert frame["request_id"] == str(request_id)


async def test_a_frame_that_was_not_noted_is_told_again(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise ConnectionError("the worker died before it told")

    landing = long_ago(line, 10)
    with monkeypatch.context() as patched:
        patched.setattr(Feed, "publish_with", die)
        with pytest.raises(ConnectionError):
            await line.say(landing)
    assert await told(line) == []
    await line.say(with_overdue=True)
    assert await told_ids(line) == [str(landing.event_id)]


async def test_only_the_partitions_own_landings_are_told(line: Range) -> None:
    landing = long_ago(line, 10)
    partition = line.deps.inbox.partition_of(line.field.targets[1])
    await line.say(landing)
    async with line.deps.pool.acquire() as conn:
        await conn.execute("UPDATE unmatched_landing SET is_published = false")
        await tell_due(conn, line.deps, {(partition + 1) % line.deps.inbox.partitions}, now())
        assert await told_ids(line) == [str(landing.event_id)]
        await tell_due(conn, line.deps, {partition}, now())
    assert await told_ids(line) == [str(landing.event_id)] * 2


async def with_faces(conn: Connection, field: Field) -> None:
    """The butt's only face is another archer's."""
    await conn.execute("UPDATE face SET letter = 'Z' WHERE target_id = $1", field.targets[1])


async def test_a_flagged_shot_is_told_once(line: Range) -> None:
    async with line.deps.pool.acquire() as conn:
        await with_faces(conn, line.field)
    await line.say(line.field.release(10), line.field.landed(10.4))
    await line.say(line.field.event("1A bow", EventType.ENGAGE, 9))
    (row,) = await told(line)
    (known,) = await line.shots()
    assert (row["id"], row["kind"], row["lane"]) == (str(known.shot.id), "shot", 1)
    assert row["reasons"][0] == Reason.WRONG_FACE
    assert row["shot"]["flags"] == ["arrow_unknown", "engage_missing", "wrong_face"]
    assert known.version > 2


async def test_a_shot_that_is_all_right_is_told_to_no_judge(line: Range) -> None:
    await line.say(line.field.release(10), line.field.landed(10.4))
    assert await told(line) == []


async def test_a_shot_that_nobody_saw_land_is_told(line: Range) -> None:
    await line.say(line.field.release(10))
    (row,) = await told(line)
    assert row["reasons"][:2] == ["unresolved", "reader_offline"]


async def test_a_relayed_version_tells_judges_too(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_before_it_tells(monkeypatch):
        await line.say(line.field.release(10))
    async with line.deps.pool.acquire() as conn:
        await conn.execute("UPDATE untold SET written_at = $1", instant(now() - 5_000_000))
    await relay(line.deps)
    assert [row["kind"] for row in await told(line)] == ["shot"]
