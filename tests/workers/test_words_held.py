"""What a reader's words come to that had to wait: as if they had been heard in their order."""

import asyncio
from collections.abc import Collection, Mapping
from copy import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.domain.values import EventType, Status
from core.gate import Haste, Incoming
from core.models.reader_move import move_reader
from core.schema.inbox import encode
from core.schema.reader import Whereabouts
from tests.fields import put_up
from tests.workers.conftest import WITHIN_S, Range
from tests.workers.moves import Moved, ago, became, begun_lately, buffered, moved_lately, then
from workers.correlate import correlate
from workers.deps import Deps
from workers.drain import drain
from workers.late import drain_late


async def a_millisecond_later(deps: Deps) -> None:
    """What comes now came later by the store's clock than what came before."""
    before = await store_ms(deps)
    while await store_ms(deps) == before:
        pass


async def store_ms(deps: Deps) -> int:
    """The store's time, milliseconds."""
    seconds, micros = await deps.valkey.time()
    return int(seconds) * 1_000 + int(micros) // 1_000


@pytest.mark.parametrize("is_heard", [False, True])
async def test_an_older_heartbeat_does_not_undo_a_doubt(deps: Deps, is_heard: bool) -> None:
    moved = await moved_lately(deps, 12)
    line, field = moved.line, moved.line.field
    # Its landing is among the five that the reader has still.
    release = field.release(ago(line, 20))
    older = then(field.beat(started=-1000, buffered=0), 25)
    newer = then(field.beat(started=-1000, buffered=5), 8)
    await moved.put(moved.before, field.release(ago(line, 300)), haste=Haste.LATE)
    await moved.put(moved.before, older, haste=Haste.BEHIND)
    await moved.put(moved.after, newer, haste=Haste.BEHIND)
    await drain(deps, moved.after)
    await drain_late(deps, moved.before)
    assert await buffered(line, field.readers["1 target"]) == 5
    await moved.put(moved.before, release)
    if is_heard:
        await moved.put(moved.after, field.landed(ago(line, 1)))
    await moved.do_now()
    assert await became(line, release) is Status.UNRESOLVED


@pytest.mark.parametrize("haste", [Haste.NOW, Haste.LATE])
async def test_no_miss_is_presumed_while_something_waits_on_the_way_of_before_the_session(
    deps: Deps, haste: Haste
) -> None:
    begun = await begun_lately(deps)
    line, lane, own, home = begun.line, begun.lane, begun.own, begun.home
    field, inbox = line.field, deps.inbox
    beat = then(field.beat(f"{lane} target", started=-1000, buffered=0), 15)
    await inbox.append([Incoming(home, encode(beat))])
    await drain(deps, home)
    # Both by a gateway that was away, and an API process that goes by the old place.
    release = field.release(ago(line, 12), f"{lane}A")
    landing = field.landed(ago(line, 11.6), lane)
    await inbox.append([Incoming(own, encode(landing), haste)])
    await inbox.append([Incoming(home, encode(release), haste)])
    await drain(deps, home)
    await drain_late(deps, home)
    assert await became(line, release) is Status.UNRESOLVED
    for partition in (own, home):
        await drain_late(deps, partition)
        await drain(deps, partition)
    await drain(deps, home)
    assert await became(line, release) is Status.LANDED


async def test_no_miss_is_presumed_while_something_waits_where_the_reader_is_now(
    deps: Deps,
) -> None:
    moved = await moved_lately(deps, 5)
    line, field = moved.line, moved.line.field
    await moved.put(moved.before, then(field.beat(started=-1000, buffered=0), 15))
    await drain(deps, moved.before)
    release = field.release(ago(line, 12))
    await moved.put(moved.after, field.landed(ago(line, 11.6)))
    await moved.put(moved.before, release)
    await drain(deps, moved.before)
    assert await became(line, release) is Status.UNRESOLVED
    await moved.do_all()
    assert await became(line, release) is Status.LANDED


@pytest.mark.parametrize("is_hit", [False, True])
async def test_no_miss_is_presumed_while_something_waits_in_the_late_lane(
    deps: Deps, is_hit: bool
) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=1))
    field = line.field
    await line.say(then(field.beat(started=-1000, buffered=0), 15))
    release = field.release(ago(line, 12))
    await line.put(field.landed(ago(line, 11.6 if is_hit else 600)), haste=Haste.LATE)
    await line.say(release)
    assert await became(line, release) is Status.UNRESOLVED
    await drain_late(deps, deps.inbox.partition_of(field.targets[1]))
    assert await became(line, release) is (Status.LANDED if is_hit else Status.MISSED)


@pytest.mark.parametrize("is_cut", [False, True])
async def test_no_miss_is_presumed_while_something_waits_behind_what_is_read_of_the_late_lane(
    deps: Deps, is_cut: bool
) -> None:
    size = 1 if is_cut else 2000
    few = replace(deps, settings=deps.settings.model_copy(update={"quiver_batch_size": size}))
    async with deps.pool.acquire() as conn:
        line = Range(few, await put_up(conn, lanes=1))
    field = line.field
    await line.say(then(field.beat(started=-1000, buffered=0), 15))
    release = field.release(ago(line, 12))
    await line.put(release, haste=Haste.LATE)
    await a_millisecond_later(deps)
    if not is_cut:
        # What came late is read as far as it came before what happens now.
        await line.put(field.event("1A arrow", EventType.IDENTIFIED, ago(line, 1)))
    await line.put(field.landed(ago(line, 11.6)), haste=Haste.LATE)
    partition = deps.inbox.partition_of(field.targets[1])
    await drain_late(few, partition)
    assert await became(line, release) is Status.UNRESOLVED
    await drain(few, partition)
    await drain_late(few, partition)
    assert await became(line, release) is Status.LANDED


async def test_echoes_alone_hold_up_nobody_however_many(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = await moved_lately(deps, 100)
    line, field = moved.line, moved.line.field
    other = f"{moved.lane} target"
    async with deps.pool.acquire() as conn, conn.transaction():
        place, at = Whereabouts(None, field.targets[1]), datetime.now(UTC)
        await move_reader(conn, field.readers[other], place, at - timedelta(seconds=100), at)
    monkeypatch.setattr("core.lanes.MOST_LOOKED_AT", 5)
    release = field.release(ago(line, 200))
    await moved.put(moved.before, release)
    await moved.do_now()
    await moved.put(moved.before, field.landed(ago(line, 250)), haste=Haste.LATE)
    await moved.put(moved.after, field.landed(ago(line, 250), moved.lane), haste=Haste.LATE)
    for _ in range(6):
        await moved.put(moved.after, field.beat(started=-5000, buffered=0))
        await moved.put(moved.before, field.beat(other, started=-5000, buffered=0))
    await moved.do_all()
    assert sum((await deps.inbox.depths()).values()) == 0
    assert await became(line, release) is Status.MISSED


async def shot_and_missed(moved: Moved) -> tuple[int | None, Status]:
    """What the reader has still to send once all is done, and what became of an arrow that was
    missed before one that hit."""
    line, field = moved.line, moved.line.field
    miss, hit = (field.release(ago(line, seconds), f"{moved.lane}A") for seconds in (30, 10))
    await moved.put(moved.after, miss, hit, field.landed(ago(line, 9.6)))
    await drain(line.deps, moved.after)
    await moved.do_all()
    assert sum((await line.deps.inbox.depths()).values()) == 0
    return await buffered(line, field.readers["1 target"]), await became(line, miss)


async def test_a_held_heartbeat_counts_though_a_later_landing_was_heard_first(deps: Deps) -> None:
    moved = await moved_lately(deps, 100)
    line, field = moved.line, moved.line.field
    await moved.put(moved.after, then(field.beat(started=-5000, buffered=5), 60))
    await moved.do_all()
    await moved.put(moved.before, field.landed(ago(line, 150)), haste=Haste.LATE)
    await moved.put(moved.after, then(field.beat(started=-5000, buffered=0), 40))
    await drain(deps, moved.after)
    await drain_late(deps, moved.before)
    assert await shot_and_missed(moved) == (0, Status.MISSED)


async def test_a_held_doubt_does_not_outlive_a_newer_heartbeat(deps: Deps) -> None:
    moved = await moved_lately(deps, 100)
    line, field = moved.line, moved.line.field
    await moved.put(moved.before, field.landed(ago(line, 150)), haste=Haste.LATE)
    await moved.put(moved.after, then(field.beat(started=-5000, buffered=5), 60))
    await drain(deps, moved.after)
    newer = then(field.beat(started=-5000, buffered=0), 40)
    await moved.put(moved.before, newer, haste=Haste.BEHIND)
    await drain_late(deps, moved.before)
    await drain_late(deps, moved.after)
    await moved.do_all()
    assert await shot_and_missed(moved) == (0, Status.MISSED)


async def test_a_job_ends_though_what_it_left_waits_for_another_partition(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = await moved_lately(deps, 100)
    looks, holding = 0, deps.inbox.holding

    async def counted(
        among: Mapping[UUID, Collection[int]],
        read: Mapping[int, bytes],
        *,
        with_newer: bool = False,
    ) -> set[UUID]:
        nonlocal looks
        looks += not with_newer
        return await holding(among, read, with_newer=with_newer)

    monkeypatch.setattr(deps.inbox, "holding", counted)
    await moved.put(moved.before, moved.line.field.landed(ago(moved.line, 150)), haste=Haste.LATE)
    await moved.put(moved.after, moved.line.field.beat(started=-5000, buffered=0))
    async with asyncio.timeout(WITHIN_S):
        await correlate(deps, moved.after)
    assert looks == 2


async def test_of_a_readers_held_heartbeats_only_what_says_most_is_kept(deps: Deps) -> None:
    moved = await moved_lately(deps, 100)
    field = moved.line.field
    await moved.put(moved.before, field.landed(ago(moved.line, 150)), haste=Haste.LATE)
    for number in range(50):
        beat = field.beat(started=-5000, buffered=number % 2)
        await moved.put(moved.after, beat, haste=Haste.BEHIND)
    await drain(deps, moved.after)
    await drain_late(deps, moved.after)
    assert (await deps.inbox.depths())[moved.after] == 2
    assert await buffered(moved.line, field.readers["1 target"]) == 1
