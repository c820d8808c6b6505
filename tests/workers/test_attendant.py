"""Partitions drained as soon as something comes for them, without a job."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.domain.values import Status
from core.gate import WOKEN, Haste
from core.inbox import handed_key
from core.models.work import try_partition, unlock_partitions
from core.pause import pause, resume
from core.queue import QUEUE
from core.seats import Seating
from tests.workers.conftest import WITHIN_S, Range, eventually
from workers import attendant, group
from workers.attendant import LATE_AT_ONCE, LATE_BESIDE, Attendant
from workers.deps import Deps
from workers.group import Left


async def name(deps: Deps, *partitions: int) -> None:
    """Name partitions to whoever attends, as what comes for them does."""
    async with deps.valkey.pipeline() as pipe:
        pipe.rpush(WOKEN, *partitions)
        await pipe.execute()


class Asked:
    """An attendant whose worker may begin something or not, and has a seat or stands by."""

    def __init__(self, deps: Deps) -> None:
        self.is_free = True
        self.seating = Seating()
        self.attendant = Attendant(deps, lambda: self.is_free, lambda: self.seating)


@pytest.fixture(name="asked")
async def _asked(deps: Deps) -> AsyncIterator[Asked]:
    """An attendant that attends."""
    made = Asked(deps)
    looks = made.attendant.attend(), made.attendant.attend_patient()
    attending = [asyncio.create_task(look) for look in looks]
    yield made
    for each in attending:
        each.cancel()
    await made.attendant.break_off()
    await asyncio.gather(*attending, return_exceptions=True)


async def test_what_comes_is_done_without_a_job(line: Range, asked: Asked) -> None:
    await line.put(line.field.release(10), line.field.landed(10.4))

    async def landed() -> bool:
        return [known.shot.status for known in await line.shots()] == [Status.LANDED]

    await eventually(landed)
    await asked.attendant.end(5)
    assert asked.attendant.done >= 1
    # Nothing but timers and leaderboards.
    queued = [key.decode() for key in await line.deps.valkey.zrange(QUEUE, 0, -1)]
    assert all(key.startswith(("overdue:", "leaderboard:")) for key in queued)
    assert not line.deps.statistics.running


async def test_a_partition_drained_by_itself_and_named_meanwhile_is_drained_again(
    deps: Deps, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    drained: list[int] = []

    async def leave(_: Deps, partitions: Collection[int]) -> Left:
        return Left((), partitions)

    async def drain(_: Deps, partition: int) -> None:
        drained.append(partition)
        begun.set()
        await go_on.wait()

    monkeypatch.setattr(attendant, "drain_group", leave)
    monkeypatch.setattr(attendant, "drain", drain)
    await name(deps, 3)
    await begun.wait()
    await name(deps, 3, 3, 4)

    async def is_taken() -> bool:
        return 4 in drained

    await eventually(is_taken)
    assert drained == [3, 4]
    go_on.set()
    await asked.attendant.end(5)
    assert drained == [3, 4, 3]


async def test_a_partition_that_is_named_while_its_group_is_drained_is_drained_again(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    drained: list[set[int]] = []

    async def drain_group(_: Deps, partitions: Collection[int]) -> Left:
        drained.append(set(partitions))
        if len(drained) == 2:
            again.set()
        begun.set()
        await go_on.wait()
        return Left((), ())

    monkeypatch.setattr(attendant, "drain_group", drain_group)
    monkeypatch.setattr(attendant, "GROUPS_AT_ONCE", 2)
    two_at_once = Attendant(deps, lambda: True)
    attending = asyncio.create_task(two_at_once.attend())
    async with asyncio.timeout(WITHIN_S):
        await name(deps, 3)
        await begun.wait()
        await name(deps, 3)

        async def is_taken() -> bool:
            return not await deps.valkey.exists(WOKEN)

        await eventually(is_taken)
        assert drained == [{3}]
        go_on.set()
        await again.wait()
    assert drained == [{3}, {3}]
    attending.cancel()
    await asyncio.gather(attending, return_exceptions=True)


async def test_whom_somebody_else_was_at_is_drained_again_though_nothing_more_is_named(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, again = [{3}], asyncio.Event()
    drained: list[set[int]] = []

    async def wait_for_woken() -> set[int]:
        if not names:
            await asyncio.Event().wait()
        return names.pop()

    async def drain_group(_: Deps, partitions: Collection[int]) -> Left:
        drained.append(set(partitions))
        if len(drained) == 1:
            return Left(partitions, ())
        again.set()
        return Left((), ())

    monkeypatch.setattr(deps.inbox, "wait_for_woken", wait_for_woken)
    monkeypatch.setattr(attendant, "drain_group", drain_group)
    monkeypatch.setattr(attendant, "GROUPS_AT_ONCE", 1)
    attending = asyncio.create_task(Attendant(deps, lambda: True).attend())
    async with asyncio.timeout(WITHIN_S):
        await again.wait()
    assert drained == [{3}, {3}]
    attending.cancel()
    await asyncio.gather(attending, return_exceptions=True)


async def test_what_fails_becomes_a_job(
    deps: Deps, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> Left:
        raise ConnectionError("a store is away")

    monkeypatch.setattr(attendant, "drain_group", fail)
    await name(deps, 3, 4)

    async def are_queued() -> bool:
        return (await deps.queue.counts()).due == 2

    await eventually(are_queued)
    assert asked.attendant.done == 0


async def test_what_came_late_and_fails_is_not_tried_again_and_again(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bool:
        raise ConnectionError("a store is away")

    monkeypatch.setattr(attendant, "drain_late", fail)
    await line.put(line.field.landed(10), haste=Haste.LATE)
    late = asyncio.create_task(Attendant(line.deps, lambda: True).attend_late())

    async def is_queued() -> bool:
        return (await line.deps.queue.counts()).due == 1

    await eventually(is_queued)
    partition = line.deps.inbox.partition_of(line.field.targets[1])
    assert not await line.deps.inbox.claim_late(partition, 1)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)


@pytest.mark.parametrize("tries_for_s", [60.0, 0.0])
async def test_a_partition_that_somebody_is_at_is_drained_when_he_is_done(
    line: Range, asked: Asked, monkeypatch: pytest.MonkeyPatch, tries_for_s: float
) -> None:
    del asked
    monkeypatch.setattr(attendant, "TRY_AGAIN_FOR_S", tries_for_s)
    partition = line.deps.inbox.partition_of(line.field.targets[1])

    found_held = asyncio.Event()

    async def drain_group(deps: Deps, partitions: Collection[int]) -> Left:
        left = await group.drain_group(deps, partitions)
        if left.held:
            found_held.set()
        return left

    monkeypatch.setattr(attendant, "drain_group", drain_group)

    async with line.deps.pool.acquire() as conn:
        assert await try_partition(conn, partition)
        await line.put(line.field.release(10))
        async with asyncio.timeout(WITHIN_S):
            await found_held.wait()
        assert await line.shots() == []
        await unlock_partitions(conn, [partition])

    async def is_there() -> bool:
        return len(await line.shots()) == 1

    await eventually(is_there)


async def test_nothing_is_begun_by_a_worker_that_may_not(deps: Deps, asked: Asked) -> None:
    asked.is_free = False
    # It may wait at the list already: what it takes then waits as a job.
    await name(deps, 3)

    async def is_taken() -> bool:
        return not await deps.valkey.exists(WOKEN)

    await eventually(is_taken)

    async def is_queued() -> bool:
        return (await deps.queue.counts()).due == 1

    await eventually(is_queued)
    await name(deps, 4)
    await asyncio.sleep(0)
    assert await deps.valkey.exists(WOKEN)
    assert not asked.attendant.tasks


async def test_what_came_in_a_pause_is_done_after_it(line: Range, working: None) -> None:
    del working
    deps = line.deps
    await pause(deps.valkey, "Ana", None, datetime(2026, 5, 1, tzinfo=UTC))
    await line.put(line.field.release(10))
    await resume(deps.valkey)

    async def is_there() -> bool:
        return len(await line.shots()) == 1

    await eventually(is_there)


STANDS_BY = Seating(is_seated=False, has_relief=True)


@pytest.fixture(name="drained")
def _drained(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """The groups that are drained, none of which takes any time."""
    drained: list[set[int]] = []

    async def drain_group(_: Deps, partitions: Collection[int]) -> Left:
        drained.append(set(partitions))
        return Left((), ())

    monkeypatch.setattr(attendant, "drain_group", drain_group)
    return drained


async def test_who_stands_by_does_what_is_handed_over(
    deps: Deps, asked: Asked, drained: list[set[int]]
) -> None:
    asked.seating = STANDS_BY
    await deps.inbox.hand(deps.host, {3, 5})

    async def is_done() -> bool:
        return drained == [{3, 5}]

    await eventually(is_done)


async def test_who_stands_by_forgets_what_it_did_when_it_has_nothing_to_do(
    deps: Deps, line: Range, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered: Collection[UUID] = getattr(deps.memory, "_of")
    asked.seating = STANDS_BY
    (partition,) = await line.put(line.field.release(10))
    await deps.inbox.woken()
    await deps.inbox.hand(deps.host, [partition])

    async def knows() -> bool:
        return set(remembered) == set(line.field.targets.values())

    await eventually(knows)
    monkeypatch.setattr(attendant, "IDLE_AFTER_S", -1.0)

    async def knows_nothing() -> bool:
        return not remembered

    await eventually(knows_nothing)


async def test_who_stands_by_does_what_nobody_takes(
    deps: Deps, asked: Asked, drained: list[set[int]]
) -> None:
    asked.seating = STANDS_BY
    await name(deps, 3, 4)

    async def is_done() -> bool:
        return drained == [{3, 4}]

    await eventually(is_done)
    assert not await deps.valkey.exists(WOKEN)


async def test_every_other_is_handed_over_when_many_are_named_at_once(
    deps: Deps, asked: Asked, drained: list[set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendant, "MANY", 4)
    asked.seating = Seating(is_seated=True, has_relief=True)
    await name(deps, 1, 2, 3, 4)

    async def are_handed() -> bool:
        return await deps.inbox.wait_for_handed(deps.host, 0.1) == {1, 3}

    await eventually(are_handed)
    # For some time, however few are named.
    await name(deps, 5)

    async def is_handed() -> bool:
        return await deps.inbox.wait_for_handed(deps.host, 0.1) == {5}

    await eventually(is_handed)
    assert set().union(*drained) == {2, 4}


async def test_nothing_is_handed_over_to_nobody(
    deps: Deps, asked: Asked, drained: list[set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendant, "MANY", 1)
    assert asked.seating == Seating(is_seated=True, has_relief=False)
    await name(deps, 1, 2, 3, 4)

    async def are_done() -> bool:
        return bool(drained) and set().union(*drained) == {1, 2, 3, 4}

    await eventually(are_done)
    assert not await deps.valkey.exists(handed_key(deps.host))


@pytest.mark.parametrize("has_relief", [False, True])
async def test_what_was_handed_to_somebody_who_does_not_do_it_is_done(
    deps: Deps, asked: Asked, drained: list[set[int]], has_relief: bool
) -> None:
    asked.seating = Seating(is_seated=True, has_relief=has_relief)
    await deps.inbox.hand(deps.host, {3})
    looking = asyncio.create_task(asked.attendant.look_around())

    async def is_done() -> bool:
        return drained == [{3}]

    await eventually(is_done)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


@pytest.mark.parametrize(
    ("seating", "quiet_for_s", "at_once"),
    [
        (Seating(True, False), math.inf, 1),
        (Seating(True, True), math.inf, 0),
        (Seating(True, True), 0.0, LATE_BESIDE),
        (STANDS_BY, math.inf, LATE_AT_ONCE),
    ],
)
async def test_what_came_late_is_done_by_who_stands_by_when_there_is_one(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, seating: Seating, quiet_for_s: float, at_once: int
) -> None:
    """And by who has the seat while nothing happens now."""
    monkeypatch.setattr(attendant, "QUIET_FOR_S", quiet_for_s)
    begun: list[int] = []
    go_on, has_looked, has_asked = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def look() -> Seating:
        has_looked.set()
        return seating

    async def late_partitions() -> list[int]:
        has_asked.set()
        return list(range(deps.inbox.partitions)) if not go_on.is_set() else []

    async def drain_late(*_: object) -> bool:
        begun.append(len(begun) + 1)
        await go_on.wait()
        return True

    monkeypatch.setattr(deps.inbox, "late_partitions", late_partitions)
    monkeypatch.setattr(attendant, "drain_late", drain_late)
    monkeypatch.setattr(attendant, "LOOK_FOR_LATE_EVERY_S", 3600.0)
    attending = asyncio.create_task(Attendant(deps, lambda: True, look).attend_late())
    async with asyncio.timeout(WITHIN_S):
        await has_looked.wait()
    assert has_asked.is_set() == bool(at_once)
    if at_once:
        await eventually(lambda: is_so(len(begun) == at_once))
        go_on.set()
    await eventually(lambda: is_so(len(begun) == (deps.inbox.partitions if at_once else 0)))
    attending.cancel()
    await asyncio.gather(attending, return_exceptions=True)


@pytest.mark.parametrize("haste", [Haste.NOW, Haste.TOGETHER, Haste.SOON])
async def test_who_has_the_seat_leaves_what_came_late_as_soon_as_an_arrow_is_shot(
    line: Range, monkeypatch: pytest.MonkeyPatch, haste: Haste
) -> None:
    deps, begun, go_on = line.deps, list[int](), asyncio.Event()
    may_go_on: list[bool] = []

    async def drain_late(_: Deps, partition: int, may: Callable[[], bool]) -> bool:
        begun.append(partition)
        await go_on.wait()
        may_go_on.append(may())
        return True

    async def late_partitions() -> list[int]:
        return list(range(deps.inbox.partitions)) if not begun else []

    monkeypatch.setattr(deps.inbox, "late_partitions", late_partitions)
    monkeypatch.setattr(attendant, "drain_late", drain_late)
    monkeypatch.setattr(attendant, "QUIET_FOR_S", 3600.0)
    at_seat = Attendant(deps, lambda: True, lambda: Seating(True, True))
    attending = [
        asyncio.create_task(at_seat.attend_late()),
        asyncio.create_task(at_seat.attend()),
        asyncio.create_task(at_seat.attend_patient()),
        asyncio.create_task(at_seat.look_around()),
    ]
    await eventually(lambda: is_so(len(begun) == LATE_BESIDE))
    # A heartbeat is nothing that anybody waits for.
    said = line.field.beat() if haste is Haste.SOON else line.field.release(10)
    await line.put(said, haste=haste)
    await eventually(lambda: is_so(at_seat.done >= 1))
    go_on.set()
    is_beat = haste is Haste.SOON
    count = deps.inbox.partitions if is_beat else LATE_BESIDE
    await eventually(lambda: is_so(len(may_go_on) == count))
    assert (len(begun), set(may_go_on)) == (count, {is_beat})
    for task in attending:
        task.cancel()
    await asyncio.gather(*attending, return_exceptions=True)


async def is_so(condition: bool) -> bool:
    """To wait for what needs no store to be known."""
    return condition
