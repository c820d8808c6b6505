"""Partitions drained together: the same shots as by themselves, and what is not plain is left."""

from collections.abc import Collection

import pytest

from core.domain.values import Status
from core.entries import DEATHS_OVER_MANY, DEATHS_OVER_ONE
from core.gate import stream_key
from core.models.failed_job import count_failed_jobs
from core.models.recompute import request_recompute
from core.models.work import try_partition, unlock_partitions
from tests.fields import Field, put_up
from tests.workers.conftest import Range, cursed
from workers import batch, group
from workers.deps import Deps
from workers.drain import EVER
from workers.group import Left, drain_group

LANES = 6


@pytest.fixture(name="wide")
async def make_wide(deps: Deps) -> Range:
    """Butts of several partitions, with an archer each."""
    async with deps.pool.acquire() as conn:
        return Range(deps, await put_up(conn, lanes=LANES))


def home(line: Range, lane: int) -> int:
    """The partition of a butt."""
    return line.deps.inbox.partition_of(line.field.targets[lane])


def homes(line: Range) -> set[int]:
    """Those of all butts, several of them."""
    found = {home(line, lane) for lane in line.field.targets}
    assert len(found) > 1
    return found


async def shoot(line: Range, field: Field) -> None:
    """An arrow at each butt."""
    for lane in field.targets:
        await line.put(field.release(10, f"{lane}A"), field.landed(10.4, lane))


async def waiting(line: Range) -> set[int]:
    """The partitions in whose inbox something waits."""
    return {p for p, depth in (await line.deps.inbox.depths()).items() if depth}


async def lanes_of_shots(line: Range) -> list[int]:
    """The butts with a landed shot."""
    lanes = {target: lane for lane, target in line.field.targets.items()}
    landed = [s for s in await line.shots() if s.shot.status is Status.LANDED]
    return sorted(lanes[known.target_id] for known in landed)


def sets(left: Left) -> tuple[set[int], set[int]]:
    """What was left, to be compared."""
    return set(left.held), set(left.alone)


async def test_all_of_them_are_done_at_once(wide: Range) -> None:
    await shoot(wide, wide.field)
    left = await drain_group(wide.deps, homes(wide))
    assert sets(left) == (set(), set())
    assert await lanes_of_shots(wide) == list(wide.field.targets)
    assert await waiting(wide) == set()
    assert len(await wide.frames()) >= 2 * LANES


async def test_nothing_waits_for_a_partition_that_somebody_is_at(wide: Range) -> None:
    await shoot(wide, wide.field)
    async with wide.deps.pool.acquire() as conn:
        assert await try_partition(conn, home(wide, 1))
        left = await drain_group(wide.deps, homes(wide))
        await unlock_partitions(conn, [home(wide, 1)])
    assert sets(left) == ({home(wide, 1)}, set())
    assert await waiting(wide) == {home(wide, 1)}
    assert sets(await drain_group(wide.deps, {home(wide, 1)})) == (set(), set())
    assert await lanes_of_shots(wide) == list(wide.field.targets)


async def test_a_partition_of_which_something_is_asked_is_left(wide: Range) -> None:
    await shoot(wide, wide.field)
    async with wide.deps.pool.acquire() as conn:
        await request_recompute(conn, {wide.field.targets[1]: EVER})
    assert set((await drain_group(wide.deps, homes(wide))).held) == {home(wide, 1)}


async def test_where_much_waits_it_is_left_untouched(
    wide: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "FEW", 2)
    at_first = {lane for lane in wide.field.targets if home(wide, lane) == home(wide, 1)}
    await shoot(wide, wide.field)
    for second in range(3):
        await wide.put(wide.field.release(100 + second))
    left = await drain_group(wide.deps, homes(wide))
    assert home(wide, 1) in left.alone
    assert not at_first & set(await lanes_of_shots(wide))
    assert set(left.alone) == await waiting(wide)


async def test_a_target_that_cannot_be_derived_leaves_them_all_to_be_done_one_by_one(
    wide: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "derive", cursed(wide.field.targets[1]))
    await shoot(wide, wide.field)
    left = await drain_group(wide.deps, homes(wide))
    assert set(left.alone) == homes(wide) == await waiting(wide)
    await wide.say()
    assert await lanes_of_shots(wide) == list(wide.field.targets)[1:]
    async with wide.deps.pool.acquire() as conn:
        assert await count_failed_jobs(conn) == 1


async def test_what_passes_is_no_death_and_is_done_next_time(
    wide: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ConnectionError("a store is away")

    await shoot(wide, wide.field)
    with monkeypatch.context() as patched:
        patched.setattr(group, "do_batch", away)
        for _ in range(2 * DEATHS_OVER_MANY):
            with pytest.raises(ConnectionError):
                await drain_group(wide.deps, homes(wide))
    assert sets(await drain_group(wide.deps, homes(wide))) == (set(), set())
    assert await lanes_of_shots(wide) == list(wide.field.targets)


async def test_a_crash_before_they_leave_the_inbox_doubles_nothing(
    wide: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise ConnectionError("the worker died")

    await shoot(wide, wide.field)
    with monkeypatch.context() as patched:
        patched.setattr(type(wide.deps.feed), "publish_with", die)
        with pytest.raises(ConnectionError):
            await drain_group(wide.deps, homes(wide))
    before = await wide.shots()
    await drain_group(wide.deps, homes(wide))
    assert await wide.shots() == before
    assert await waiting(wide) == set()


async def die_over(line: Range, partitions: Collection[int], times: int) -> None:
    """Workers that read and are never heard of again."""
    for _ in range(times):
        await line.deps.inbox.begin_and_read_few(sorted(partitions), 10)


async def test_after_deaths_entries_are_done_one_by_one(wide: Range) -> None:
    await shoot(wide, wide.field)
    await die_over(wide, homes(wide), DEATHS_OVER_MANY)
    left = await drain_group(wide.deps, homes(wide))
    assert set(left.alone) == homes(wide)
    await wide.say()
    assert await lanes_of_shots(wide) == list(wide.field.targets)


async def test_the_deadly_entry_is_put_aside_and_the_others_are_done(wide: Range) -> None:
    await shoot(wide, wide.field)
    await die_over(wide, {home(wide, 1)}, DEATHS_OVER_MANY + DEATHS_OVER_ONE)
    left = await drain_group(wide.deps, homes(wide))
    assert set(left.alone) == {home(wide, 1)}
    async with wide.deps.pool.acquire() as conn:
        assert await count_failed_jobs(conn) == 1


async def test_an_unreadable_entry_among_them_is_written_down(wide: Range) -> None:
    await shoot(wide, wide.field)
    await wide.deps.valkey.xadd(stream_key(home(wide, 2)), {"e": b"\xff not json"})
    assert sets(await drain_group(wide.deps, homes(wide))) == (set(), set())
    assert await lanes_of_shots(wide) == list(wide.field.targets)
    async with wide.deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT function FROM failed_job") == "read_entry"


async def test_nothing_waits(wide: Range) -> None:
    assert sets(await drain_group(wide.deps, homes(wide))) == (set(), set())
    assert await wide.shots() == []
