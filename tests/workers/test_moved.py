"""Readers that were elsewhere all along: what their butts had of them goes to where they were."""

from collections.abc import Sequence
from copy import replace
from uuid import UUID

import pytest

from core.domain.values import SECOND, Status
from core.gate import Watermarks
from core.inbox import Inbox
from core.models.failed_job import count_failed_jobs
from core.models.instants import instant
from core.models.place import Place
from core.models.reader_binding import bind_from
from core.models.recompute import request_recompute
from core.models.work import count_asked
from tests.fields import now, put_up
from tests.workers.conftest import Range, cursed
from workers import batch
from workers.deps import Deps
from workers.drain import drain

UNMATCHED_COUNT = "SELECT count(*) FROM unmatched_landing"

type Move = tuple[str, Place | None]


@pytest.fixture(name="wide")
async def _wide(deps: Deps) -> Range:
    """Two butts with an archer each."""
    async with deps.pool.acquire() as conn:
        return Range(deps, await put_up(conn, lanes=2))


def butt(line: Range, lane: int) -> Place:
    """Where a butt's reader may be."""
    return Place(None, line.field.targets[lane], instant(line.field.starts_at))


async def move(line: Range, *moves: Move, asked: Sequence[UUID] = ()) -> None:
    """Have readers at other places, or at none, since before the session began.

    Args:
        line: The butts.
        moves: Each by itself, as operators do it.
        asked: What is to be derived instead of all that is touched, and nothing with another.
    """
    since = instant(line.field.starts_at - 10 * SECOND)
    async with line.deps.pool.acquire() as conn, conn.transaction():
        for reader, place in moves:
            reader_id = line.field.readers[reader]
            touched = await bind_from(conn, reader_id, place, since)
            if not asked:
                await request_recompute(conn, touched, moved_readers=[reader_id])
        await request_recompute(conn, asked)


async def derive(line: Range, *lanes: int) -> None:
    """Drain all partitions, these butts' first, until nothing is asked any more."""
    inbox = line.deps.inbox
    first = [inbox.partition_of(line.field.targets[lane]) for lane in lanes]
    for _ in range(4):
        for partition in [*first, *range(inbox.partitions)]:
            await drain(line.deps, partition)
    async with line.deps.pool.acquire() as conn:
        assert await count_asked(conn) == 0


async def points(line: Range) -> dict[int, tuple[Status, int | None]]:
    """What became of the shots, by lane."""
    lanes = {target: lane for lane, target in line.field.targets.items()}
    return {
        lanes[known.target_id]: (known.shot.status, known.shot.score)
        for known in await line.shots()
    }


async def failures(line: Range) -> int:
    """How many jobs failed."""
    async with line.deps.pool.acquire() as conn:
        return await count_failed_jobs(conn)


async def shoot_at_both(line: Range) -> None:
    """A ten at the first butt and a two at the second."""
    field = line.field
    await line.say(field.release(10), field.landed(10.4))
    await line.say(field.release(10, "2A"), field.landed(10.4, 2, x=500))
    assert await points(line) == {1: (Status.LANDED, 10), 2: (Status.LANDED, 2)}


@pytest.mark.parametrize("first", [1, 2])
async def test_a_landing_goes_to_the_butt_whose_reader_saw_it(wide: Range, first: int) -> None:
    field = wide.field
    there = [field.beat(f"{lane} target", started=-1000, buffered=0) for lane in (1, 2)]
    await wide.say(*there, field.release(10), field.landed(10.4), field.release(10.05, "2A"))
    await wide.say(*there, with_overdue=True)
    assert await points(wide) == {1: (Status.LANDED, 10), 2: (Status.MISSED, 0)}
    await move(wide, ("1 target", butt(wide, 2)))
    await derive(wide, first)
    assert (await points(wide))[2] == (Status.LANDED, 10)
    assert (await points(wide))[1][0] is not Status.LANDED
    assert await failures(wide) == 0


@pytest.mark.parametrize("first", [1, 2])
async def test_readers_that_were_crossed_are_put_right(wide: Range, first: int) -> None:
    await shoot_at_both(wide)
    await move(wide, ("1 target", butt(wide, 2)), ("2 target", butt(wide, 1)))
    await derive(wide, first)
    assert await points(wide) == {1: (Status.LANDED, 2), 2: (Status.LANDED, 10)}
    assert await failures(wide) == 0


@pytest.mark.parametrize("lane", [1, 2])
async def test_a_butt_whose_landings_another_still_has_is_derived_with_it(
    wide: Range, lane: int
) -> None:
    await shoot_at_both(wide)
    crossed = ("1 target", butt(wide, 2)), ("2 target", butt(wide, 1))
    await move(wide, *crossed, asked=[wide.field.targets[lane]])
    await derive(wide)
    assert await points(wide) == {1: (Status.LANDED, 2), 2: (Status.LANDED, 10)}
    assert await failures(wide) == 0


async def test_what_comes_for_it_meanwhile_is_kept(wide: Range) -> None:
    await shoot_at_both(wide)
    await move(wide, ("1 target", butt(wide, 2)), ("2 target", butt(wide, 1)))
    async with wide.deps.pool.acquire() as conn:
        await conn.execute("DELETE FROM recompute")
    field = wide.field
    await wide.say(field.release(40), field.landed(40.4, 2))
    await derive(wide)
    assert sorted((known.shot.released_at, known.shot.score) for known in await wide.shots()) == [
        (field.release(10).ts, 2),
        (field.release(10).ts, 10),
        (field.release(40).ts, 10),
    ]
    assert await failures(wide) == 0


@pytest.mark.parametrize("beside", [0, 1])
async def test_a_heartbeat_that_is_held_up_has_both_butts_derived(deps: Deps, beside: int) -> None:
    one_partition = replace(deps, inbox=Inbox(deps.valkey, partitions=1, marks=Watermarks(1000)))
    async with deps.pool.acquire() as conn:
        line = Range(one_partition, await put_up(conn, lanes=2))
    field = line.field
    await shoot_at_both(line)
    # Not decided yet: the readers' word is waited for.
    await line.say(field.release(14), field.release(14, "2A"))
    await move(line, ("1 target", butt(line, 2)), ("2 target", butt(line, 1)))
    async with deps.pool.acquire() as conn:
        await conn.execute("DELETE FROM recompute")
    # It was switched on after the first arrows, so what it said of them is in doubt.
    await line.say(field.beat("2 target", started=12), *[field.release(60)][:beside])
    await derive(line)
    landed = [known for known in await line.shots() if known.shot.landing_event_id is not None]
    assert {known.target_id: known.shot.score for known in landed} == {
        field.targets[1]: 2,
        field.targets[2]: 10,
    }
    assert await failures(line) == 0


async def test_what_a_heartbeat_says_that_is_held_up_is_known(deps: Deps) -> None:
    one_partition = replace(deps, inbox=Inbox(deps.valkey, partitions=1, marks=Watermarks(1000)))
    async with deps.pool.acquire() as conn:
        line = Range(one_partition, await put_up(conn, lanes=2))
    field = line.field
    since = (now() - field.starts_at) / 1_000_000
    there = [field.beat(f"{lane} target", started=-1000, buffered=0) for lane in (1, 2)]
    await line.say(*(replace(beat, received_at=now() - 12_000_000) for beat in there))
    await shoot_at_both(line)
    await move(line, ("1 target", butt(line, 2)), ("2 target", butt(line, 1)))
    async with deps.pool.acquire() as conn:
        await conn.execute("DELETE FROM recompute")
    release = field.release(since - 8)
    # The reader of that butt was switched on in the middle of the flight, and has more to send.
    await line.say(field.beat("2 target", started=since - 6, buffered=5))
    await line.say(release)
    await derive(line)
    await line.say(with_overdue=True)
    of_release = {known.shot.release_event_id: known.shot.status for known in await line.shots()}
    assert of_release[release.event_id] is Status.UNRESOLVED


async def test_one_that_cannot_be_derived_does_not_have_the_other_tried_for_ever(
    wide: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shoot_at_both(wide)
    await move(wide, ("1 target", butt(wide, 2)), ("2 target", butt(wide, 1)))
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(wide.field.targets[1]))
        await derive(wide, 2)
    assert await failures(wide) == 2


async def test_impacts_go_from_where_their_reader_never_was(line: Range) -> None:
    await line.say(line.field.landed(10))
    async with line.deps.pool.acquire() as conn:
        assert await conn.fetchval(UNMATCHED_COUNT) == 1
    await move(line, ("1 target", None))
    await derive(line)
    async with line.deps.pool.acquire() as conn:
        assert await conn.fetchval(UNMATCHED_COUNT) == 0


async def test_what_a_shot_taught_goes_from_where_its_bow_never_was(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=2))
    field = line.field
    there = field.beat("1 target", started=-1000, buffered=0)
    await line.say(there, field.release(10))
    await line.say(there, with_overdue=True)
    assert [known.shot.status for known in await line.shots()] == [Status.MISSED]
    place = Place(field.slots["2A"], field.targets[2], instant(field.starts_at))
    await move(line, ("1A bow", place))
    await derive(line, 2)
    assert [known.target_id for known in await line.shots()] == [field.targets[2]]
    async with deps.pool.acquire() as conn:
        taught = await conn.fetch("SELECT target_id FROM lesson")
    assert field.targets[1] not in [row["target_id"] for row in taught]
