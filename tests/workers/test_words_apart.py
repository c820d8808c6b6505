"""What a reader says counts only when nothing of it waits where it may have come through."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from core.domain.values import Status
from core.gate import Haste, Incoming
from core.inbox import open_inbox
from core.models.instants import instant
from core.models.lossless import kept_bytes
from core.models.reader_binding import follow_start
from core.models.reader_way import note_ways
from core.models.said import News, Said, keep_said
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedEvent, encode
from tests.fields import now, put_up
from tests.workers.conftest import Range, cursed
from tests.workers.moves import (
    MOVED_AT,
    SHOT_AT,
    Moved,
    an_operator_retries,
    at_the_look,
    became,
    begun_lately,
    go,
    moved_away,
    ways,
    words,
)
from workers import batch
from workers import drain as drain_module
from workers.batch import Outcome, carry
from workers.deps import Deps
from workers.drain import drain
from workers.errors import MovedMeanwhileError
from workers.group import drain_group
from workers.late import drain_late
from workers.retry import retrying

WAYS_AGE = "UPDATE reader_way SET left_at = left_at - interval '1 day'"
WAYS_DELETE = "DELETE FROM reader_way"


@dataclass(frozen=True, slots=True)
class Apart:
    """Butts of three partitions, the first, where the reader is, and two more.

    Args:
        line: All butts.
        lanes: The three.
        homes: Their partitions.
    """

    line: Range
    lanes: Sequence[int]
    homes: Sequence[int]

    async def put(self, home: int, *said: Accepted, haste: Haste = Haste.NOW) -> None:
        """Put into the inbox of one of the partitions."""
        partition = self.homes[home]
        await self.line.deps.inbox.append([Incoming(partition, encode(e), haste) for e in said])

    async def do(self, *homes: int) -> None:
        """Do what happens now at some of the partitions."""
        for home in homes:
            await drain(self.line.deps, self.homes[home])

    async def do_late(self, home: int) -> None:
        """Do what came late at one of the partitions, and what that leaves there."""
        for _ in range(3):
            await drain_late(self.line.deps, self.homes[home])

    async def do_all(self) -> None:
        """Do all that waits."""
        for _ in range(5):
            for partition in range(self.line.deps.inbox.partitions):
                await drain(self.line.deps, partition)
            for partition in range(self.line.deps.inbox.partitions):
                await drain_late(self.line.deps, partition)

    async def became(self, release: AcceptedEvent) -> Status:
        """What became of an arrow."""
        return await became(self.line, release)


@pytest.fixture(name="moved")
async def _moved(deps: Deps) -> Moved:
    return await moved_away(deps)


@pytest.fixture(name="apart")
async def _apart(deps: Deps) -> Apart:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=12))
    first: dict[int, int] = {}
    for lane, target in line.field.targets.items():
        first.setdefault(deps.inbox.partition_of(target), lane)
    lanes = list(first.values())[:3]
    return Apart(line, lanes, list(first)[:3])


@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
async def test_a_word_waits_for_all_ways_that_hold_something(apart: Apart, kind: str) -> None:
    line, field = apart.line, apart.line.field
    await go(line, apart.lanes[1], 50)
    await go(line, apart.lanes[2], 100)
    first, second = field.release(10), field.release(20)
    await apart.put(0, first, second)
    await apart.do(0)
    await apart.put(0, field.landed(10.4), haste=Haste.LATE)
    await apart.put(1, field.landed(20.4), haste=Haste.LATE)
    said: dict[str, Accepted] = {
        "heartbeat": field.beat(started=-1000, buffered=0),
        "landing": field.landed(3500),
    }
    await apart.put(2, said[kind])
    await apart.do(2)
    await apart.do_late(0)
    assert await apart.became(second) is not Status.MISSED
    await apart.do_all()
    assert await apart.became(second) is Status.LANDED


async def test_a_long_lane_beside_it_hides_nothing(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.lanes.MOST_LOOKED_AT", 3)
    line, field = apart.line, apart.line.field
    await go(line, apart.lanes[1], 50)
    await go(line, apart.lanes[2], 100)
    release = field.release(20)
    await apart.put(0, release)
    await apart.do(0)
    await apart.put(0, *[field.release(3000 + n) for n in range(5)], haste=Haste.LATE)
    await apart.put(1, field.landed(20.4), haste=Haste.LATE)
    await apart.put(2, field.beat(started=-1000, buffered=0))
    await apart.do(2)
    await apart.do_late(0)
    assert await apart.became(release) is not Status.MISSED


@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
async def test_what_is_carried_to_where_the_reader_is_now_is_waited_for_elsewhere(
    moved: Moved, kind: str
) -> None:
    line, deps, field = moved.line, moved.line.deps, moved.line.field
    release = field.release(MOVED_AT + 10, f"{moved.lane}A")
    await line.say(release)
    await moved.put(moved.after, field.release(3000, f"{moved.lane}A"), haste=Haste.LATE)
    await moved.put(moved.before, field.landed(MOVED_AT + 10.4))
    await drain(deps, moved.before)
    await moved.put(moved.before, words(moved)[kind])
    await drain(deps, moved.before)
    await drain_late(deps, moved.after)
    assert await became(line, release) is not Status.MISSED
    await moved.do_all()
    assert await became(line, release) is Status.LANDED


@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
async def test_who_speaks_on_the_old_way_yet_is_heard_behind_what_came_the_new_way(
    moved: Moved, kind: str
) -> None:
    line, field = moved.line, moved.line.field
    release = field.release(MOVED_AT + 10, f"{moved.lane}A")
    await line.say(release)
    await moved.put(moved.after, field.landed(MOVED_AT + 10.4), haste=Haste.LATE)
    await moved.put(moved.before, words(moved)[kind])
    await moved.do_now()
    await moved.do_now()
    assert await became(line, release) is not Status.MISSED


async def test_a_session_that_has_just_begun_is_such_a_move(deps: Deps) -> None:
    begun = await begun_lately(deps)
    line, lane, own, home = begun.line, begun.lane, begun.own, begun.home
    field, inbox = line.field, deps.inbox
    release = field.release(SHOT_AT, f"{lane}A")
    landing = field.landed(SHOT_AT + 0.4, lane)
    beat = field.beat(f"{lane} target", started=-1000, buffered=0)
    await line.say(release)
    await inbox.append([Incoming(home, encode(landing), Haste.LATE)])
    await inbox.append([Incoming(own, encode(beat), Haste.NOW)])
    for partition in (own, *range(inbox.partitions)):
        await drain(deps, partition)
    assert await became(line, release) is not Status.MISSED


async def test_what_is_carried_behind_a_word_comes_first_all_the_same(moved: Moved) -> None:
    line, deps, field = moved.line, moved.line.deps, moved.line.field
    release = field.release(MOVED_AT + 10, f"{moved.lane}A")
    await line.say(release)
    await moved.put(moved.after, field.release(3000, f"{moved.lane}A"), haste=Haste.LATE)
    await moved.put(moved.before, field.landed(MOVED_AT + 10.4))
    await moved.put(moved.after, field.beat(started=-1000, buffered=0), haste=Haste.BEHIND)
    await drain_late(deps, moved.after)
    await moved.put(moved.after, field.release(3100, f"{moved.lane}A"), haste=Haste.LATE)
    await drain(deps, moved.before)
    await drain_late(deps, moved.before)
    await drain_late(deps, moved.after)
    assert await became(line, release) is not Status.MISSED


async def test_landings_of_two_other_partitions_are_both_waited_for(apart: Apart) -> None:
    line, field = apart.line, apart.line.field
    await go(line, apart.lanes[1], 50)
    await go(line, apart.lanes[2], 100)
    async with line.deps.pool.acquire() as conn:
        await conn.execute(WAYS_DELETE)
    first, second = field.release(10), field.release(60, f"{apart.lanes[1]}A")
    await apart.put(0, first)
    await apart.put(1, second)
    await apart.do(0, 1)
    await apart.put(0, field.release(3000), haste=Haste.LATE)
    said = field.landed(10.4), field.landed(60.4), field.beat(started=-1000, buffered=0)
    await apart.put(2, *said, haste=Haste.LATE)
    await drain_late(line.deps, apart.homes[2])
    await apart.do(1)
    await apart.do_late(1)
    await drain_late(line.deps, apart.homes[0])
    assert await apart.became(first) is not Status.MISSED
    await apart.do_all()
    assert await apart.became(first) is Status.LANDED


async def test_what_is_carried_to_a_way_that_was_forgotten_is_waited_for_on_all(
    apart: Apart,
) -> None:
    line, field = apart.line, apart.line.field
    await go(line, apart.lanes[1], 50)
    async with line.deps.pool.acquire() as conn:
        await conn.execute(WAYS_DELETE)
    await go(line, apart.lanes[2], 100)
    first = field.release(10)
    await apart.put(0, first)
    await apart.do(0)
    await apart.put(0, field.release(3000), haste=Haste.LATE)
    await apart.put(1, field.landed(60.4), haste=Haste.LATE)
    await apart.put(2, field.landed(10.4), field.beat(started=-1000, buffered=0))
    await apart.do(2)
    await apart.do_late(1)
    await drain_late(line.deps, apart.homes[0])
    assert await apart.became(first) is not Status.MISSED


@pytest.mark.parametrize("was_carried", [False, True])
async def test_who_comes_and_goes_is_waited_for_on_each_way(
    apart: Apart, was_carried: bool
) -> None:
    line, field = apart.line, apart.line.field
    await go(line, apart.lanes[1], 50)
    await apart.put(1, field.beat(buffered=5))
    if was_carried:
        await apart.put(1, field.landed(40))
    await apart.do_all()
    release = field.release(60, f"{apart.lanes[1]}A")
    await apart.put(1, release)
    await apart.do(1)
    await go(line, 1, 100)
    await apart.put(1, field.landed(60.4), haste=Haste.LATE)
    await apart.put(0, field.beat(started=-1000, buffered=0))
    await go(line, apart.lanes[2], 150)
    await apart.do(0, 1)
    assert await apart.became(release) is not Status.MISSED


async def test_a_start_that_is_put_earlier_is_a_way_of_then(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=3, since=-timedelta(hours=1)))
        field, begin = line.field, instant(line.field.starts_at)
        earlier = begin - timedelta(hours=2)
        async with conn.transaction():
            await conn.execute("UPDATE session SET start_time = $1", earlier)
            await follow_start(conn, field.session_id, begin, earlier)
    own = deps.inbox.partition_of(field.readers["1 target"])
    home = deps.inbox.partition_of(field.targets[1])
    release, beat = field.release(-7000), field.beat(started=-9000, buffered=0)
    await deps.inbox.append([Incoming(home, encode(release), Haste.NOW)])
    await drain(deps, home)
    await deps.inbox.append([Incoming(own, encode(field.landed(-6999.6)), Haste.LATE)])
    await deps.inbox.append([Incoming(home, encode(beat), Haste.NOW)])
    await go(line, 2, -6000)
    await drain(deps, home)
    assert await became(line, release) is not Status.MISSED


async def test_a_retried_heartbeat_whose_reader_is_to_be_moved_comes_behind_what_waits(
    apart: Apart,
) -> None:
    line, field = apart.line, apart.line.field
    await go(line, apart.lanes[1], 7200)
    release, beat = field.release(10), field.beat(started=-1000, buffered=0)
    await line.say(release)
    await apart.put(0, field.landed(10.4), haste=Haste.LATE)
    kept = [encode(beat).decode()]
    arguments: dict[str, object] = {"target_id": str(beat.reader_id), "unstored": kept}
    await retrying({})(
        line.deps, await an_operator_retries(line.deps, "correlate_target", arguments)
    )
    await apart.do(0, 1)
    assert await apart.became(release) is not Status.MISSED
    await apart.do_all()
    assert await apart.became(release) is Status.LANDED


@pytest.mark.parametrize("kind", ["share", "share with a heartbeat", "entry"])
async def test_what_is_retried_of_when_a_reader_was_nowhere_comes_behind_what_waits(
    apart: Apart, kind: str
) -> None:
    line, field = apart.line, apart.line.field
    release = field.release(10)
    await line.say(release)
    await apart.put(0, field.landed(10.4), haste=Haste.LATE)
    unbound, beat = field.landed(-100), field.beat(started=-1000, buffered=0)
    said: list[Accepted] = [unbound, beat] if kind == "share with a heartbeat" else [unbound]
    kept = [encode(each).decode() for each in said]
    function, arguments = "correlate_target", dict[str, object](
        target_id=str(beat.reader_id), unstored=kept
    )
    if kind == "entry":
        function, arguments = "read_entry", {"entry": "1-1", **kept_bytes(encode(unbound))}
    await retrying({})(line.deps, await an_operator_retries(line.deps, function, arguments))
    for partition in range(line.deps.inbox.partitions):
        await drain(line.deps, partition)
    assert await apart.became(release) is not Status.MISSED
    await apart.do_all()
    assert await apart.became(release) is Status.LANDED


@pytest.mark.parametrize("has_another", [False, True])
async def test_a_way_that_is_noted_while_its_reader_is_waited_for_undoes_what_goes_by_the_old(
    moved: Moved, monkeypatch: pytest.MonkeyPatch, has_another: bool
) -> None:
    line, field = moved.line, moved.line.field
    async with line.deps.pool.acquire() as conn:
        await conn.execute(WAYS_DELETE)
        if has_another:
            here = [(field.readers["1 target"], moved.after, instant(now()))]
            await note_ways(conn, here)

    async def noted(conn: Connection, said: Said, online_since: datetime) -> News:
        async with line.deps.pool.acquire() as other:
            ways_ = [(field.readers["1 target"], moved.before, instant(now()))]
            await note_ways(other, ways_)
        return await keep_said(conn, said, online_since)

    await moved.put(moved.before, field.landed(SHOT_AT + 0.4), haste=Haste.LATE)
    await moved.put(moved.after, field.beat(started=-1000, buffered=0))
    with monkeypatch.context() as patched, pytest.raises(MovedMeanwhileError):
        patched.setattr(batch, "keep_said", noted)
        await drain(line.deps, moved.after)
    await moved.do_now()
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert await moved.statuses() == [Status.LANDED]


async def test_a_way_is_forgotten_also_where_both_partitions_are_done_at_once(
    moved: Moved,
) -> None:
    line = moved.line
    async with line.deps.pool.acquire() as conn:
        await conn.execute(WAYS_AGE)
    await moved.put(moved.before, line.field.release(3000))
    await moved.put(moved.after, line.field.beat())
    await drain_group(line.deps, [moved.before, moved.after])
    assert await ways(line) == 0


async def test_what_is_carried_between_the_reading_and_the_look_is_seen(moved: Moved) -> None:
    line, deps, field = moved.line, moved.line.deps, moved.line.field
    release = field.release(MOVED_AT + 10, f"{moved.lane}A")
    await line.say(release)
    inbox = open_inbox(deps.valkey, deps.settings)
    has_read, is_gone = asyncio.Event(), asyncio.Event()

    async def and_it_goes() -> None:
        has_read.set()
        await is_gone.wait()

    other = replace(deps, inbox=inbox, turns=asyncio.Semaphore(2))
    await moved.put(moved.after, field.beat(started=-1000, buffered=0))
    await moved.put(moved.before, field.landed(MOVED_AT + 10.4))
    with pytest.MonkeyPatch.context() as patched:
        at_the_look(patched, inbox, before=and_it_goes)
        slowly = asyncio.create_task(drain(other, moved.after))
        await has_read.wait()
        # A reader that was never heard nobody has to wait for.
        await drain(deps, moved.before)
        is_gone.set()
        await slowly
    frames = [frame.text for frame in await line.frames()]
    assert not any('"shot.missed"' in text for text in frames)


async def test_what_was_carried_by_a_try_that_failed_is_waited_for(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps, field = moved.line.deps, moved.line.field

    async def dying(deps_: Deps, outcomes: Sequence[Outcome]) -> None:
        await carry(deps_, outcomes)
        raise ConnectionError("away")

    await moved.put(moved.before, field.release(SHOT_AT + 10), haste=Haste.LATE)
    said = field.landed(SHOT_AT + 0.4), field.beat(started=-1000, buffered=0)
    await moved.put(moved.after, *said)
    with monkeypatch.context() as patched, pytest.raises(ConnectionError):
        patched.setattr(drain_module, "carry", dying)
        await drain(deps, moved.after)
    await drain_late(deps, moved.before)
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert (await moved.statuses())[0] is Status.LANDED
    assert sum((await deps.inbox.depths()).values()) == 0


@pytest.mark.parametrize("kind", ["heartbeat", "landing"])
async def test_what_is_carried_butt_by_butt_is_waited_for(
    moved: Moved, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps, field = moved.line.deps, moved.line.field
    await moved.put(moved.before, field.release(SHOT_AT + 10), haste=Haste.LATE)
    said = field.landed(SHOT_AT + 0.4), words(moved)[kind], field.release(20, f"{moved.lane}A")
    await moved.put(moved.after, *said)
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(field.targets[moved.lane]))
        await drain(deps, moved.after)
    await drain(deps, moved.after)
    await drain_late(deps, moved.before)
    assert Status.MISSED not in await moved.statuses()
    await moved.do_all()
    assert (await moved.statuses())[0] is Status.LANDED
    assert sum((await deps.inbox.depths()).values()) == 0
