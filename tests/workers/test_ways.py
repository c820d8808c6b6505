"""Readers that were moved while what they said before still waited where they came from."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.domain.values import SECOND, Status
from core.gate import Haste
from core.inbox import partition_key
from core.models.butt import PlacedButt, take_butts
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.models.instants import instant
from core.models.reader_move import move_reader
from core.models.reader_way import forget_ways
from core.postgres import Connection
from core.schema.inbox import Accepted, encode
from core.schema.reader import Whereabouts
from tests.fields import now, put_up
from tests.workers.conftest import Range, cursed
from tests.workers.moves import (
    MOVED_AT,
    SHOT_AT,
    Moved,
    buffered,
    go,
    moved_away,
    on,
    ways,
    words,
)
from workers import batch
from workers.deps import Deps
from workers.drain import do_aside, drain
from workers.group import drain_group
from workers.late import drain_late
from workers.retry import retrying

HEARD_BEFORE = "UPDATE reader_status SET last_heard_at = last_heard_at - interval '12 s'"
CLEAR_BEFORE = "UPDATE reader_boot SET clear_at = clear_at - interval '12 s'"
WAYS_AGE = "UPDATE reader_way SET left_at = left_at - interval '1 day'"


@pytest.fixture(name="moved")
async def _moved(deps: Deps) -> Moved:
    return await moved_away(deps)


@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
@pytest.mark.parametrize("haste", [Haste.NOW, Haste.LATE])
async def test_a_landing_that_waits_where_its_reader_was_keeps_its_shot_from_being_a_miss(
    moved: Moved, kind: str, haste: Haste
) -> None:
    await moved.put(moved.before, moved.line.field.landed(SHOT_AT + 0.4), haste=haste)
    await moved.put(moved.after, words(moved)[kind])
    await drain(moved.line.deps, moved.after)
    assert await moved.statuses() == [Status.UNRESOLVED]
    await moved.do_now()
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert await moved.statuses() == [Status.LANDED]


@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
async def test_what_it_said_before_its_word_counts_first_also_butt_by_butt(
    moved: Moved, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = moved.line.field
    inbox = moved.line.deps.inbox
    await moved.put(moved.before, field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await moved.put(moved.after, words(moved)[kind], field.release(20, f"{moved.lane}A"))
    assert inbox.partition_of(field.targets[moved.lane]) == moved.after
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(field.targets[moved.lane]))
        await moved.do_now()
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert await moved.statuses() == [Status.LANDED]


@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
async def test_it_waits_there_also_where_both_partitions_are_done_at_once(
    moved: Moved, kind: str
) -> None:
    await moved.put(moved.before, moved.line.field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await moved.put(moved.before, moved.line.field.release(3000))
    await moved.put(moved.after, words(moved)[kind])
    await drain_group(moved.line.deps, [moved.before, moved.after])
    await moved.do_now()
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert (await moved.statuses())[0] is Status.LANDED


async def test_what_its_heartbeat_says_against_its_word_counts_at_once(moved: Moved) -> None:
    line, field = moved.line, moved.line.field
    await moved.put(moved.after, field.beat(started=-1000, buffered=0))
    await moved.do_now()
    async with line.deps.pool.acquire() as conn:
        await conn.execute(HEARD_BEFORE)
        await conn.execute(CLEAR_BEFORE)
    release = field.release((now() - field.starts_at) / SECOND - 8, f"{moved.lane}A")
    await moved.put(moved.before, field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await moved.put(moved.after, field.beat(started=-1000, buffered=5), release)
    await drain(line.deps, moved.after, with_overdue=True)
    became = {s.shot.release_event_id: s.shot.status for s in await line.shots()}
    assert became[release.event_id] is Status.UNRESOLVED
    assert await buffered(line, field.readers["1 target"]) == 5


@pytest.mark.parametrize("is_late_first", [False, True])
@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
async def test_what_belongs_to_another_butt_is_heard_after_what_waits_where_it_came(
    moved: Moved, kind: str, is_late_first: bool
) -> None:
    field = moved.line.field
    waits: Accepted = field.landed(SHOT_AT + 0.4)
    if kind == "heartbeat":
        waits = field.beat(started=-1000, buffered=5)
    await moved.put(moved.after, field.release(3000, f"{moved.lane}A"), haste=Haste.LATE)
    await moved.put(moved.after, waits, haste=Haste.LATE)
    await moved.put(moved.after, field.landed(MOVED_AT - 2))
    if is_late_first:
        await drain_late(moved.line.deps, moved.after)
    await drain(moved.line.deps, moved.after)
    await drain(moved.line.deps, moved.before)
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    expected = {"heartbeat": Status.UNRESOLVED, "landing": Status.LANDED}[kind]
    assert (await moved.statuses())[0] is expected
    assert sum((await moved.line.deps.inbox.depths()).values()) == 0


@pytest.mark.parametrize("haste", [Haste.NOW, Haste.LATE])
@pytest.mark.parametrize("kind", [None, "heartbeat", "landing"])
async def test_what_is_carried_is_done_before_its_reader_is_heard(
    moved: Moved, kind: str | None, haste: Haste
) -> None:
    deps, field = moved.line.deps, moved.line.field
    besides = [] if kind is None else [words(moved)[kind]]
    await moved.put(moved.before, field.release(SHOT_AT + 10), haste=Haste.LATE)
    await moved.put(moved.after, field.landed(SHOT_AT + 10.4), *besides, haste=haste)
    await drain(deps, moved.after)
    await drain_late(deps, moved.after)
    await moved.put(moved.after, *besides)
    await drain(deps, moved.after)
    await drain_late(deps, moved.before)
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert (await moved.statuses())[1] is Status.LANDED
    assert sum((await deps.inbox.depths()).values()) == 0


async def test_a_return_that_was_told_beforehand_leaves_the_other_way(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=12))
    homes = {lane: deps.inbox.partition_of(target) for lane, target in line.field.targets.items()}
    lane = next(lane for lane, home in homes.items() if home != homes[1])
    since = line.field.starts_at / SECOND
    await go(line, lane, 50, told_at=since + 50)
    await go(line, 1, 100, told_at=since + 60)
    moved = Moved(line, homes[lane], homes[1], 1)
    await line.say(line.field.release(60, f"{lane}A"))
    await moved.put(moved.before, line.field.landed(60.4), haste=Haste.LATE)
    await moved.put(moved.after, line.field.beat(started=-1000, buffered=0))
    await moved.do_now()
    assert Status.MISSED not in [s.shot.status for s in await line.shots()]
    await moved.do_all()
    assert [s.shot.status for s in await line.shots()] == [Status.LANDED]


async def test_a_heartbeats_share_that_is_tried_again_comes_behind_what_waits(
    moved: Moved,
) -> None:
    line, reader = moved.line, moved.line.field.readers["1 target"]
    beat = line.field.beat(started=-1000, buffered=0)
    unstored = [encode(beat).decode()]
    arguments: dict[str, object] = {"target_id": str(reader), "unstored": unstored}
    at = datetime.now(UTC)
    tries = [attempt(ValueError("no"), at, at)]
    async with line.deps.pool.acquire() as conn:
        await insert_failed_job(conn, Failure("correlate:1", "correlate_target", arguments, tries))
        (row,) = await conn.fetch("UPDATE failed_job SET state = 'restarted' RETURNING id")
    await moved.put(moved.after, line.field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await retrying({})(line.deps, str(row["id"]))
    await moved.do_now()
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert await moved.statuses() == [Status.LANDED]


@pytest.mark.parametrize("is_first", [False, True])
async def test_of_two_ways_what_was_said_first_counts_first(moved: Moved, is_first: bool) -> None:
    line, field = moved.line, moved.line.field
    await on(moved)
    await moved.put(moved.before, field.release(3000), haste=Haste.LATE)
    await moved.put(moved.before, field.beat(started=-1000, buffered=5), haste=Haste.BEHIND)
    await moved.put(moved.after, field.landed(3500))
    if is_first:
        await drain_late(line.deps, moved.before)
    await drain(line.deps, moved.after)
    await moved.do_all()
    assert (await moved.statuses())[0] is Status.UNRESOLVED


async def test_nothing_goes_to_and_fro_between_two_ways(moved: Moved) -> None:
    line, ways_ = moved.line, (moved.before, moved.after)
    last = line.deps.inbox.partition_of(line.field.targets[await on(moved)])
    for way in ways_:
        said = [line.field.beat(started=-1000, buffered=0) for _ in range(40)]
        await moved.put(way, *said, haste=Haste.LATE)
    await asyncio.gather(*(drain_late(line.deps, way) for way in ways_))
    # What had to wait is heard where the reader is now.
    for way in (*ways_, last):
        await drain_late(line.deps, way)
    assert sum((await line.deps.inbox.depths()).values()) == 0


@pytest.mark.parametrize("begin", [SHOT_AT + 600, 4000.0])
async def test_a_move_that_is_told_beforehand_is_a_way(deps: Deps, begin: float) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=3))
    for lane, at in ((2, begin), (3, begin + 100)):
        await go(line, lane, at)
    assert await ways(line) == len({deps.inbox.partition_of(line.field.targets[n]) for n in (1, 2)})


async def test_what_a_start_list_comes_before_goes_ways_of_its_own(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=1, since=-timedelta(hours=1)))
        assert await conn.fetchval("SELECT count(*) FROM reader_way") == len(line.field.readers)
    assert await ways(line) == 1


async def test_a_way_that_is_left_once_more_stays(moved: Moved) -> None:
    line, reader = moved.line, moved.line.field.readers["1 target"]
    async with line.deps.pool.acquire() as conn:
        key = partition_key(line.field.targets[1])
        await forget_ways(conn, [(reader, key, instant(now()) - timedelta(hours=1))])
    assert await ways(line) == 1


async def test_a_heartbeat_that_is_tried_again_comes_behind_what_waits(moved: Moved) -> None:
    line = moved.line
    await moved.put(moved.before, line.field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await do_aside(line.deps, moved.before, [line.field.beat(started=-1000, buffered=0)])
    assert await moved.statuses() == [Status.UNRESOLVED]
    await moved.do_all()
    assert await moved.statuses() == [Status.LANDED]


async def test_a_heartbeat_that_waits_there_is_known_first(moved: Moved) -> None:
    field, reader = moved.line.field, moved.line.field.readers["1 target"]
    await moved.put(moved.before, field.release(3000), haste=Haste.LATE)
    await moved.put(moved.before, field.beat(started=-1000, buffered=5), haste=Haste.BEHIND)
    await moved.put(moved.after, field.landed(3500))
    await moved.do_now()
    await moved.do_all()
    assert (await moved.statuses())[0] is Status.UNRESOLVED
    assert await buffered(moved.line, reader) == 5


async def test_its_word_counts_in_the_end(moved: Moved) -> None:
    field = moved.line.field
    await moved.put(moved.before, field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await moved.put(moved.before, field.release(MOVED_AT - 20))
    await moved.put(moved.after, field.beat(started=-1000, buffered=0), field.landed(3500))
    await moved.do_all()
    assert await moved.statuses() == [Status.LANDED, Status.MISSED]
    assert sum((await moved.line.deps.inbox.depths()).values()) == 0


async def test_where_nothing_of_it_waits_its_word_counts_at_once(moved: Moved) -> None:
    field = moved.line.field
    await moved.put(moved.before, field.release(3000), haste=Haste.LATE)
    await moved.put(moved.after, field.beat(started=-1000, buffered=0))
    await moved.do_now()
    assert (await moved.statuses())[0] is Status.MISSED


async def test_an_echo_on_an_earlier_way_derives_nothing_of_another_partition(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, field = moved.line, moved.line.field
    homes = {lane: line.deps.inbox.partition_of(t) for lane, t in field.targets.items()}
    last = next(lane for lane in homes if homes[lane] not in (moved.before, moved.after))
    await line.say(field.release(MOVED_AT + 10, f"{moved.lane}A"))
    await go(line, last, 100)
    taken: list[set[UUID]] = []

    async def taking(
        conn: Connection, target_ids: Collection[UUID], offline_after: int, as_of: int
    ) -> dict[UUID, PlacedButt]:
        taken.append(set(target_ids))
        return await take_butts(conn, target_ids, offline_after, as_of)

    await moved.put(moved.before, field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    # Said at the third butt, of when it was at the second.
    await moved.put(homes[last], field.landed(MOVED_AT + 10.4))
    await drain(line.deps, homes[last])
    with monkeypatch.context() as patched:
        patched.setattr(batch, "take_butts", taking)
        while await drain_late(line.deps, moved.before):
            pass
    assert taken and {homes[last], moved.after}.isdisjoint(
        line.deps.inbox.partition_of(target) for some in taken for target in some
    )
    await moved.do_all()
    assert {s.shot.status for s in await line.shots()} == {Status.LANDED}
    assert sum((await line.deps.inbox.depths()).values()) == 0


async def test_a_way_is_forgotten_when_nothing_waits_there_for_a_while(moved: Moved) -> None:
    line = moved.line
    await moved.put(moved.after, line.field.beat())
    await moved.do_now()
    assert await ways(line) == 1
    async with line.deps.pool.acquire() as conn:
        await conn.execute(WAYS_AGE)
    await moved.put(moved.before, line.field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await moved.put(moved.after, line.field.beat())
    await drain(line.deps, moved.after)
    assert await ways(line) == 1
    await moved.do_all()
    await moved.put(moved.after, line.field.beat())
    await moved.do_now()
    assert await ways(line) == 0


async def test_what_it_said_on_an_earlier_way_waits_for_what_is_not_done_on_a_later_one(
    moved: Moved,
) -> None:
    line = moved.line
    await on(moved)
    assert await ways(line) == 2
    await moved.put(moved.after, line.field.landed(MOVED_AT + 10))
    await moved.put(moved.before, line.field.beat(started=-1000, buffered=0))
    await drain(line.deps, moved.before)
    assert (await moved.statuses()) == [Status.UNRESOLVED]
    assert (await line.deps.inbox.depths())[moved.before] == 0
    await moved.do_all()
    assert (await moved.statuses()) == [Status.MISSED]


async def test_who_comes_back_has_left_the_other_way(moved: Moved) -> None:
    line = moved.line
    await go(line, 1, 100)
    assert await ways(line) == 1
    await moved.put(moved.after, line.field.landed(MOVED_AT + 10), haste=Haste.LATE)
    await line.say(line.field.release(110), line.field.beat(started=-1000, buffered=0))
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert (await moved.statuses())[1] is Status.MISSED


async def test_a_place_of_the_same_partition_is_the_same_way(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=1))
        field = line.field
        async with conn.transaction():
            since = instant(field.starts_at) + timedelta(seconds=MOVED_AT)
            reader = field.readers["1 target"]
            place = Whereabouts(None, field.targets[1])
            await move_reader(conn, reader, place, since, datetime.now(UTC))
    assert await ways(line) == 0
