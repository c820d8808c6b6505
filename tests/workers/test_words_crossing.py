"""A reader's word and what it tells of, done at the same time in different places: by two
partitions, in a group with others, or in parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.domain.values import SECOND, EventType, Status
from core.gate import Haste, Incoming, stream_key
from core.models.shot_write import write_shots
from core.postgres import Pool
from core.schema.inbox import Accepted, AcceptedEvent, encode
from tests.fields import now, put_up
from tests.workers.conftest import WITHIN_S, Range, cursed, in_one_partition
from tests.workers.moves import (
    Moved,
    ago,
    became,
    bind,
    moved_lately,
    running,
    then,
    told_of,
)
from workers.batch import carry
from workers.deps import Deps
from workers.drain import drain, turn_at
from workers.group import drain_group
from workers.late import drain_late
from workers.sweep import sweep

# Other tests have databases of their own on the same server.
WAITING_SELECT = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
)
"""


@pytest.fixture(name="parts")
def _parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came late is done butt by butt."""
    monkeypatch.setattr("workers.late.PART", 1)


async def came(deps: Deps, lane: int, said: Accepted, seconds: float) -> None:
    """It came so long ago, and waits."""
    ms = (now() - round(seconds * SECOND)) // 1_000
    await deps.valkey.xadd(stream_key(lane), {b"e": encode(said)}, id=f"{ms}-0")


def named(line: Range, lane: int, seconds: float) -> AcceptedEvent:
    """What makes no shot: an arrow was nocked so long ago."""
    return line.field.event(f"{lane}A arrow", EventType.IDENTIFIED, ago(line, seconds))


async def after_all(moved: Moved) -> None:
    """All is done, and the safety net was at work."""
    await moved.do_all()
    for _ in range(2):
        await sweep(moved.line.deps)
        for partition in (moved.after, moved.before):
            await drain(moved.line.deps, partition, with_overdue=True)
    assert sum((await moved.line.deps.inbox.depths()).values()) == 0


async def to_be_decided(deps: Deps, seconds: float) -> tuple[Moved, AcceptedEvent]:
    """A reader that was moved and heard last so long ago, an arrow whose time is up where it is
    now, and its next word, which comes the old way."""
    moved = await moved_lately(deps, 100)
    await moved.put(moved.after, then(running(moved.line), seconds))
    await drain(deps, moved.after)
    release = moved.line.field.release(ago(moved.line, 12), f"{moved.lane}A")
    await moved.put(moved.after, release)
    await moved.put(moved.before, running(moved.line))
    return moved, release


async def ends_or_waits(pool: Pool, task: asyncio.Task[None]) -> None:
    """Until the task is done, or waits for what another connection has locked."""
    async with asyncio.timeout(WITHIN_S), pool.acquire() as conn:
        while not (task.done() or await conn.fetchval(WAITING_SELECT)):
            await asyncio.sleep(0)


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_who_is_heard_while_a_miss_is_looked_for_settles_it(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """However often that is before they are done."""
    moved, release = await to_be_decided(deps, 15)
    begun: list[asyncio.Task[None]] = []

    async def and_meanwhile(*args: Any) -> None:
        await carry(*args)
        if not begun:
            for _ in range(times):
                begun.append(asyncio.create_task(drain(deps, moved.after)))
                await ends_or_waits(deps.pool, begun[-1])

    with monkeypatch.context() as patched:
        patched.setattr("workers.drain.carry", and_meanwhile)
        await drain(deps, moved.before)
    await asyncio.gather(*begun)
    await after_all(moved)
    assert await became(moved.line, release) is Status.MISSED


@pytest.mark.parametrize("is_between", [False, True])
async def test_who_comes_back_while_an_arrow_is_decided_that_nobody_saw_settles_it(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, is_between: bool
) -> None:
    moved, release = await to_be_decided(deps, 60)
    begun: list[int] = []

    async def and_meanwhile(*args: Any, **named_: Any) -> int | None:
        if is_between and not begun:
            begun.append(1)
            await drain(deps, moved.before)
        return await write_shots(*args, **named_)

    with monkeypatch.context() as patched:
        patched.setattr("workers.derivation.write_shots", and_meanwhile)
        await drain(deps, moved.after)
    await after_all(moved)
    assert await became(moved.line, release) is Status.MISSED


@pytest.mark.parametrize("late_at", [9.7, 9.3])
async def test_time_is_up_where_the_arrow_is_and_not_where_its_reader_is_heard(
    deps: Deps, late_at: float
) -> None:
    """There something waits that came before it was."""
    moved = await moved_lately(deps, 100)
    line = moved.line
    await moved.put(moved.after, then(running(line), 15))
    await drain(deps, moved.after)
    release = line.field.release(ago(line, 13), f"{moved.lane}A")
    await came(deps, moved.before, then(running(line), 9.8), 9.8)
    late = then(named(line, 1, 100), late_at)
    await came(deps, deps.inbox.late_lane(moved.before), late, late_at)
    await moved.put(moved.after, release)
    await drain(deps, moved.after)
    assert await became(line, release) is Status.UNRESOLVED
    await drain(deps, moved.after)
    await after_all(moved)
    assert await became(line, release) is Status.MISSED


async def beside_another(deps: Deps, letters: str = "A") -> tuple[Range, int, int, int]:
    """Butts of which the first and another are of different partitions: these, and which other."""
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=12, letters=letters))
    homes = {lane: deps.inbox.partition_of(t) for lane, t in line.field.targets.items()}
    lane = next(lane for lane, home in homes.items() if home != homes[1])
    return line, lane, homes[1], homes[lane]


@pytest.mark.parametrize("is_together", [False, True])
async def test_a_word_counts_as_of_now_though_something_late_waits_for_another_partition(
    deps: Deps, is_together: bool
) -> None:
    line, lane, home, other = await beside_another(deps)
    await line.say(then(running(line), 60))
    release = then(line.field.release(ago(line, 6)), 6)
    await line.say(release)
    assert await became(line, release) is Status.UNRESOLVED
    await came(deps, deps.inbox.late_lane(other), named(line, lane, 100), 4)
    beat = Incoming(home, encode(running(line)), Haste.BEHIND)
    await deps.inbox.append([beat, Incoming(other, encode(named(line, lane, 1)))])
    if is_together:
        await drain_group(deps, [home, other])
    else:
        await drain(deps, home)
        await drain(deps, other)
    for _ in range(3):
        await drain_late(deps, other)
        await sweep(deps)
        await line.say(with_overdue=True)
    assert await became(line, release) is Status.MISSED


@pytest.mark.parametrize("is_proven", [False, True])
async def test_what_was_told_stands_though_something_late_waits_for_another_partition(
    deps: Deps, is_proven: bool
) -> None:
    line, lane, home, other = await beside_another(deps, letters="AB")
    await line.say(then(running(line), 15))
    miss = then(line.field.release(ago(line, 6)), 6)
    await line.say(miss)
    if is_proven:
        await line.say(running(line))
    assert await became(line, miss) is Status.MISSED
    await came(deps, deps.inbox.late_lane(other), named(line, lane, 100), 4)
    release = Incoming(home, encode(line.field.release(ago(line, 4), "1B")))
    await deps.inbox.append([release, Incoming(other, encode(named(line, lane, 1)))])
    await drain_group(deps, [home, other])
    assert await told_of(line, miss) == ["in_flight", "missed"]


async def test_nobodys_time_is_up_while_something_late_waits_and_nothing_else(deps: Deps) -> None:
    line = await in_one_partition(deps, lanes=2)
    await line.say(then(running(line), 15))
    await came(line.deps, line.deps.inbox.late_lane(0), named(line, 2, 100), 4)
    miss = then(line.field.release(ago(line, 6)), 6)
    await line.say(miss)
    await line.say(with_overdue=True)
    assert await told_of(line, miss) == ["in_flight"]
    await drain_late(line.deps, 0)
    await line.say(with_overdue=True)
    assert await told_of(line, miss) == ["in_flight", "missed"]


async def test_what_was_asked_waits_for_all_parts_of_what_came_late(
    deps: Deps, parts: None
) -> None:
    del parts
    line = await in_one_partition(deps, lanes=2)
    await line.say(then(running(line), 15))
    release, hit = line.field.release(ago(line, 12)), line.field.landed(ago(line, 11.6))
    await line.put(named(line, 2, 100), hit, named(line, 2, 99), haste=Haste.LATE)
    await line.say(release)
    assert await became(line, release) is Status.UNRESOLVED
    await drain_late(line.deps, 0)
    assert await became(line, release) is Status.LANDED
    assert "missed" not in await told_of(line, release)


async def test_a_butt_where_a_reader_was_once_waits_for_all_parts_of_what_came_late(
    deps: Deps, parts: None
) -> None:
    del parts
    line = await in_one_partition(deps, lanes=2)
    await bind(line, "2 target", 1, seconds=3000)
    await bind(line, "2 target", 2, seconds=2000)
    await line.say()
    await line.say(then(running(line), 15))
    others = [line.field.landed(ago(line, seconds), lane=2) for seconds in (12, 11)]
    release, hit = line.field.release(ago(line, 12)), line.field.landed(ago(line, 11.6))
    await line.put(others[0], hit, others[1], haste=Haste.LATE)
    await line.say(release)
    await line.say()
    assert await became(line, release) is Status.UNRESOLVED
    await drain_late(line.deps, 0)
    assert await became(line, release) is Status.LANDED
    assert "missed" not in await told_of(line, release)


async def test_nobodys_time_is_up_before_all_parts_of_what_came_late_are_done(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, parts: None
) -> None:
    del parts
    line = await in_one_partition(deps, lanes=2)
    await line.say(then(running(line), 15))
    lane, turns = line.deps.inbox.late_lane(0), list[int]()
    await came(line.deps, lane, then(named(line, 1, 20), 4), 4)
    await came(line.deps, lane, then(named(line, 2, 100), 3.9), 3.9)
    miss = then(line.field.release(ago(line, 6)), 6)
    await line.say(miss)

    @asynccontextmanager
    async def and_between(*args: Any, **how: Any) -> AsyncIterator[object]:
        turns.append(1)
        if len(turns) == 2:
            await line.say(line.field.release(ago(line, 4)))
        async with turn_at(*args, **how) as held:
            yield held

    with monkeypatch.context() as patched:
        patched.setattr("workers.late.turn_at", and_between)
        await drain_late(line.deps, 0)
    await line.say(with_overdue=True)
    assert len(turns) == 2
    assert await told_of(line, miss) == ["in_flight", "missed"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_part_in_which_a_butt_fails_waits_for_the_others_too(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, parts: None, fails: bool
) -> None:
    del parts
    line = await in_one_partition(deps, lanes=3)
    await bind(line, "2 target", 1, seconds=3000)
    await bind(line, "2 target", 2, seconds=2000)
    await line.say()
    await line.say(then(running(line), 15))
    other = line.field.landed(ago(line, 12), lane=2)
    release, hit = line.field.release(ago(line, 12)), line.field.landed(ago(line, 11.6))
    await line.put(other, hit, haste=Haste.LATE)
    await line.put(running(line, "2 target"), haste=Haste.BEHIND)
    await line.say(release)
    await line.say()
    assert await became(line, release) is Status.UNRESOLVED
    with monkeypatch.context() as patched:
        if fails:
            patched.setattr("workers.batch.derive", cursed(line.field.targets[2]))
        await drain_late(line.deps, 0)
    await line.say()
    assert await became(line, release) is Status.LANDED
    assert "missed" not in await told_of(line, release)
