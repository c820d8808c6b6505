"""Whatever job is lost, a sweep finds what it would have done."""

import json
from copy import replace
from uuid import UUID, uuid4

import pytest
from redis.exceptions import ResponseError

from core.domain.values import Status
from core.feed import stream_key
from core.models.correlated_shot import lock_shots
from core.models.failed_job import count_failed_jobs
from core.models.instants import FOREVER, instant
from core.models.recompute import request_recompute
from core.models.target import TARGETS, change_target
from core.models.untold import lock_untold
from core.postgres import Connection
from core.queue import QUEUE
from core.schema.target import FaceWish, TargetUpdate
from tests.fields import Field, now, put_up
from tests.workers.conftest import Range, dying_before_it_tells, eventually
from workers.deps import Deps
from workers.leaderboard import leaderboard
from workers.relay import AT_ONCE, relay
from workers.sweep import sweep

REQUEST = UUID("8f14e45f-ceea-467f-a8d4-1ab7f1d9cc34")
FACE = FaceWish(face_type="wa_122_full", x=0, y=0)


async def hang(conn: Connection, target_id: UUID, face: FaceWish) -> None:
    """Hang one face on a target."""
    before = await TARGETS.one(conn, target_id)
    await change_target(conn, before, TargetUpdate(faces=[face]))


async def test_events_whose_wake_up_was_lost_are_processed(line: Range, working: None) -> None:
    del working
    await line.put(line.field.release(10), line.field.landed(10.4))
    for partition in range(line.deps.inbox.partitions):
        await line.deps.inbox.begin(partition)

    async def landed() -> bool:
        return [known.shot.status for known in await line.shots()] == [Status.LANDED]

    await eventually(landed)


async def test_a_shot_whose_timer_was_lost_is_decided(line: Range, working: None) -> None:
    del working
    since = (now() - line.field.starts_at) / 1_000_000
    await line.say(line.field.release(since - 3.4), line.field.beat())
    await line.deps.valkey.delete("arq:queue")

    async def decided() -> bool:
        return [known.shot.status for known in await line.shots()] == [Status.MISSED]

    await eventually(decided)


async def test_what_was_asked_of_a_partition_is_done(line: Range, working: None) -> None:
    del working
    await line.say(line.field.release(10), line.field.landed(10.4, x=70))
    async with line.deps.pool.acquire() as conn, conn.transaction():
        face = FaceWish(face_type="wa_122_full", x=70, y=0)
        await hang(conn, line.field.targets[1], face)
        await request_recompute(conn, [line.field.targets[1]])

    async def rescored() -> bool:
        return [known.shot.label for known in await line.shots()] == ["X"]

    await eventually(rescored)


async def let_time_pass(conn: Connection) -> None:
    """What viewers were not told of is long ago."""
    await conn.execute("UPDATE untold SET written_at = $1", instant(now() - 5_000_000))


async def test_a_version_that_viewers_were_not_told_of_is_relayed(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_before_it_tells(monkeypatch):
        await line.say(line.field.release(10), line.field.landed(10.4))
    assert await line.frames() == []
    async with line.deps.pool.acquire() as conn:
        await let_time_pass(conn)
    await relay(line.deps)
    assert await line.told() == ["shot.created", "shot.landed"]
    await relay(line.deps)
    assert len(await line.frames()) == 2


async def test_what_somebody_else_is_about_to_tell_is_left_to_them(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_before_it_tells(monkeypatch):
        await line.say(line.field.release(10), line.field.landed(10.4))
    async with line.deps.pool.acquire() as conn:
        await let_time_pass(conn)
        async with conn.transaction():
            assert len(await lock_untold(conn, FOREVER, 10)) == 1
            await relay(line.deps)
            assert await line.frames() == []
    await relay(line.deps)
    assert len(await line.frames()) == 2


async def test_a_shot_that_somebody_is_about_to_change_is_waited_for_by_nobody(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_before_it_tells(monkeypatch):
        await line.say(line.field.release(10), line.field.landed(10.4))
    (known,) = await line.shots()
    async with line.deps.pool.acquire() as conn:
        await let_time_pass(conn)
        async with conn.transaction():
            assert await lock_shots(conn, [known.shot.id]) == [known]
            await relay(line.deps)
            assert await line.frames() == []
    await relay(line.deps)
    assert len(await line.frames()) == 2


async def test_what_cannot_be_told_just_now_does_not_stand_before_the_rest(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * AT_ONCE):
        with dying_before_it_tells(monkeypatch):
            await line.say(line.field.release(10 + 10 * number))
    first = [known.shot.id for known in await line.shots()][:AT_ONCE]
    async with line.deps.pool.acquire() as conn:
        await let_time_pass(conn)
        async with conn.transaction():
            await lock_shots(conn, first)
            await relay(line.deps)
        left = [
            shot_id for row in await lock_untold(conn, FOREVER, 100) for shot_id in row.shot_ids
        ]
    assert sorted(left) == sorted(first)


async def test_what_the_feed_refused_has_left_the_inbox_and_is_relayed(line: Range) -> None:
    deps, stream = line.deps, stream_key(line.field.session_id)
    await deps.valkey.set(stream, "no stream")
    with pytest.raises(ResponseError, match="WRONGTYPE") as refused:
        await line.say(line.field.release(10), line.field.landed(10.4))
    assert "shot.created" not in str(refused.value)
    assert set((await deps.inbox.depths()).values()) == {0}
    await deps.valkey.delete(stream)
    async with deps.pool.acquire() as conn:
        await let_time_pass(conn)
    await relay(deps)
    assert await line.told() == ["shot.created", "shot.landed"]


async def test_a_shot_without_a_face_is_scored_once_there_is_one(deps: Deps, working: None) -> None:
    del working
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, faces=False)
    line = Range(deps, field)
    landed = replace(field.landed(10.4), request_id=REQUEST)
    await line.say(field.release(10), landed)
    (known,) = await line.shots()
    assert (known.shot.status, known.shot.score) == (Status.LANDED, None)

    async def given_up() -> bool:
        async with deps.pool.acquire() as conn:
            return await count_failed_jobs(conn) == 1

    await eventually(given_up)
    async with deps.pool.acquire() as conn:
        request_id = await conn.fetchval("SELECT request_id FROM failed_job")
    assert request_id == REQUEST
    async with deps.pool.acquire() as conn, conn.transaction():
        await hang(conn, field.targets[1], FACE)
    await deps.queue.enqueue("score_shots", str(field.targets[1]))

    async def scored() -> bool:
        return [each.shot.label for each in await line.shots()] == ["X"]

    await eventually(scored)


async def test_two_workers_do_the_same_work_once(line: Range, working: None) -> None:
    del working
    wake = await line.put(line.field.release(10), line.field.landed(10.4))
    for _ in range(8):
        await line.deps.queue.wake(wake)

    async def landed() -> bool:
        return [known.version for known in await line.shots()] == [2]

    await eventually(landed)
    told = [f for f in await line.frames() if "shot." in f.text.split(",")[0]]
    assert len(told) == 2


async def test_a_leaderboard_frame_holds_what_changed_and_is_told_once(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, letters="AB")
    line = Range(deps, field)
    await line.say(field.release(10), field.landed(10.4, x=3))
    await leaderboard(deps, str(field.session_id))
    await leaderboard(deps, str(field.session_id))
    boards = [json.loads(f.text) for f in await line.frames() if "leaderboard" in f.text]
    assert len(boards) == 1
    rows = boards[0]["data"]["leaderboard"]
    assert [(r["slot_id"], r["rank"], r["total"], r["xs"]) for r in rows] == [
        (str(field.slots["1A"]), 1, 10, 1),
        (str(field.slots["1B"]), 2, 0, 0),
    ]


async def test_ranks_that_others_shots_move_are_told_too(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, letters="ABC")
    line = Range(deps, field)
    await line.say(field.release(10, "1A"), field.landed(10.4, x=3))
    await leaderboard(deps, str(field.session_id))
    await line.say(field.release(100, "1B"), field.landed(100.4, x=3))
    await leaderboard(deps, str(field.session_id))
    boards = [json.loads(f.text) for f in await line.frames() if "leaderboard" in f.text]
    told = {r["slot_id"]: (r["rank"], r["is_tied"]) for r in boards[1]["data"]["leaderboard"]}
    assert told == {
        str(field.slots["1A"]): (1, True),
        str(field.slots["1B"]): (1, True),
        str(field.slots["1C"]): (3, False),
    }


async def test_a_leaderboard_of_a_session_that_is_gone_is_none(deps: Deps) -> None:
    await leaderboard(deps, str(uuid4()))


async def test_of_very_many_rows_those_that_are_left_are_told_a_second_later(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.leaderboard.ROWS_AT_ONCE", 2)
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, letters="ABCDE")
    line, session = Range(deps, field), str(field.session_id)
    await line.say(field.release(10, "1A"), field.landed(10.4, x=3))
    # The job that the arrow asked for, too.
    await deps.valkey.flushdb()
    since = now()
    for _ in range(2):
        await leaderboard(deps, session)
    # One for each second that it was asked for in.
    asked = await deps.valkey.zrange(QUEUE, 0, -1, withscores=True)
    assert asked and all(due_ms * 1_000 > since for _, due_ms in asked)
    await leaderboard(deps, session)
    await leaderboard(deps, session)
    boards = [json.loads(f.text) for f in await line.frames() if "leaderboard" in f.text]
    rows = [each["data"]["leaderboard"] for each in boards]
    assert [len(each) for each in rows] == [2, 2, 1]
    ranks = {row["slot_id"]: row["rank"] for each in rows for row in each}
    assert ranks == {str(field.slots[f"1{letter}"]): 1 + (letter > "A") for letter in "ABCDE"}


async def test_a_sweep_of_a_quiet_range_asks_for_nothing(deps: Deps, field: Field) -> None:
    del field
    await sweep(deps)
    counts = await deps.queue.counts()
    assert (counts.due, counts.deferred) == (0, 0)
