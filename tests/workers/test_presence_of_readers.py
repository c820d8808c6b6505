"""Misses, blind butts, and what a reader's later word makes of them."""

import asyncio
from copy import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from core.domain.clock import Clock
from core.domain.learning import OPENING
from core.domain.values import Status
from core.gate import Incoming
from core.models.instants import LAST, instant
from core.models.known_reader import lock_readers
from core.models.place import Place
from core.models.reader_binding import bind_from
from core.models.reader_clock import KnownClock, Source
from core.models.said import Said, keep_said, keep_unheard
from core.models.shot_write import write_shots
from core.models.work import count_asked
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedBeat, encode
from tests.fields import Field, as_if_received_then, now, put_up
from tests.models.test_correlated_shot import in_flight
from tests.models.test_presence import until_it_waits
from tests.workers.conftest import (
    Range,
    cursed,
    dying_before_it_tells,
    eventually,
    in_one_partition,
)
from workers import batch, isolation
from workers.batch import Batch, Outcome, do_batch
from workers.deps import Deps
from workers.drain import drain
from workers.sweep import sweep


async def statuses(line: Range) -> list[Status]:
    """What became of each shot."""
    return [known.shot.status for known in await line.shots()]


async def test_a_butt_whose_reader_was_never_heard_leaves_the_shot_unresolved(line: Range) -> None:
    await line.say(line.field.release(10))
    assert await statuses(line) == [Status.UNRESOLVED]


async def test_a_later_sign_of_life_settles_it(line: Range) -> None:
    await line.say(line.field.release(10))
    await line.say(line.field.beat())
    (known,) = await line.shots()
    assert (known.shot.status, known.shot.is_settled) == (Status.MISSED, True)


async def test_a_reader_that_was_switched_on_afterwards_cannot_settle_it(line: Range) -> None:
    await line.say(line.field.release(10))
    await line.say(line.field.beat(started=50))
    assert await statuses(line) == [Status.UNRESOLVED]


async def test_a_reader_that_has_more_to_send_settles_it_when_it_has_sent_all(line: Range) -> None:
    await line.say(line.field.release(10), line.field.beat(started=-60, buffered=3))
    assert await statuses(line) == [Status.UNRESOLVED]
    await line.say(line.field.beat(started=-60, buffered=0))
    assert await statuses(line) == [Status.MISSED]


async def test_a_late_landing_corrects_a_miss(line: Range) -> None:
    await line.say(line.field.release(10), line.field.beat())
    assert await statuses(line) == [Status.MISSED]
    await line.say(line.field.landed(10.4))
    assert await statuses(line) == [Status.LANDED]


async def test_the_landing_of_a_later_arrow_settles_it_also_past_the_butts_opening(
    line: Range,
) -> None:
    # The opening is derived as a whole, past it only what an event touches.
    times = [10.0 + 20 * number for number in range(OPENING + 4)]
    opening = [e for at in times for e in (line.field.release(at), line.field.landed(at + 0.4))]
    await line.say(*map(as_if_received_then, opening))
    await line.say(as_if_received_then(line.field.release(2_000)))
    assert (await statuses(line))[-1] is Status.UNRESOLVED
    later = line.field.release(2_100), line.field.landed(2_100.4)
    await line.say(*map(as_if_received_then, later))
    assert (await statuses(line))[-2:] == [Status.MISSED, Status.LANDED]


async def test_a_restart_that_becomes_known_takes_a_presumed_miss_back(line: Range) -> None:
    since = (now() - line.field.starts_at) / 1_000_000
    await line.say(line.field.release(since - 10))
    await line.say(line.field.beat())
    assert await statuses(line) == [Status.MISSED]
    await line.say(line.field.beat(started=since - 8))
    assert await statuses(line) == [Status.UNRESOLVED]


async def test_a_reader_that_fell_silent_takes_its_presumed_misses_with_it(
    line: Range, working: None
) -> None:
    del working
    since = (now() - line.field.starts_at) / 1_000_000
    await line.say(line.field.beat(), line.field.release(since - 1))
    # Heard from just before the window ends, in two seconds: online, so a miss, for now.
    async with line.deps.pool.acquire() as conn:
        heard = instant(line.field.starts_at + round((since + 1.9) * 1_000_000))
        await conn.execute("UPDATE reader_boot SET clear_at = $1", heard - timedelta(seconds=60))
        await conn.execute("UPDATE reader_status SET last_heard_at = $1", heard)

    async def is_missed() -> bool:
        return await statuses(line) == [Status.MISSED]

    await eventually(is_missed)
    async with line.deps.pool.acquire() as conn:
        silent = instant(now() - 31_000_000)
        await conn.execute("UPDATE reader_status SET last_heard_at = $1", silent)

    async def is_unresolved() -> bool:
        return await statuses(line) == [Status.UNRESOLVED]

    await eventually(is_unresolved)


async def test_what_a_heartbeat_says_is_known_though_its_butt_cannot_be_derived(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = line.field
    since = (now() - field.starts_at) / 1_000_000
    before = field.beat(started=-1000, buffered=0)
    await line.say(replace(before, received_at=now() - 12_000_000))
    # Its reader was there, and so the butt is derived with the heartbeat.
    await line.say(field.release(since - 20))
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(field.targets[1]))
        await line.say(field.beat(started=since - 6, buffered=5))
    assert await asked(line) == 1
    await line.say(field.release(since - 8))
    await line.say(with_overdue=True)
    assert await statuses(line) == [Status.MISSED, Status.UNRESOLVED]
    assert await asked(line) == 0


async def test_whoever_is_heard_again_while_its_butt_cannot_be_derived_is_told_online(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = line.field
    since = (now() - field.starts_at) / 1_000_000
    before = field.beat(started=-1000, buffered=0)
    await line.say(replace(before, received_at=now() - 12_000_000))
    await line.say(field.release(since - 20))
    async with line.deps.pool.acquire() as conn:
        await conn.execute("UPDATE reader_status SET is_online = false")
    known = len(await line.frames())
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(field.targets[1]))
        await line.say(field.beat(started=since - 6, buffered=5))
    told = (await line.told())[known:]
    assert [kind for kind in told if kind.startswith("reader.")] == ["reader.online"]


async def test_a_heartbeat_tells_nothing_before_what_came_with_it_is_stored(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await in_one_partition(deps, lanes=2)
    field = line.field
    since = (now() - field.starts_at) / 1_000_000
    before = field.beat("1 target", started=-1000, buffered=1)
    await line.say(replace(before, received_at=now() - 12_000_000))
    await line.say(field.release(since - 8))
    with monkeypatch.context() as patched:
        # Another butt has them done one by one.
        patched.setattr(batch, "derive", cursed(field.targets[2]))
        await line.say(
            field.release(since - 1, "2A"),
            replace(field.beat("1 target", started=-1000, buffered=0), received_at=now()),
            replace(field.landed(since - 7.6), received_at=now()),
        )
    told = await line.told()
    assert "shot.missed" not in told
    assert told[-1] == "shot.landed"


@pytest.mark.parametrize("is_first", [True, False])
async def test_what_a_heartbeat_takes_back_counts_for_all_that_is_done_one_by_one(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    """A reader says that it has more to send, and sends the first of it."""
    line = await in_one_partition(deps, lanes=2)
    field = line.field
    since = (now() - field.starts_at) / 1_000_000
    before = field.beat("1 target", started=-1000, buffered=0)
    await line.say(replace(before, received_at=now() - 60_000_000))
    await line.say(field.release(since - 20))
    beat, landed = field.beat("1 target", started=-1000, buffered=5), field.landed(since - 9.6)
    said: list[Accepted] = [beat, landed] if is_first else [landed, beat]
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(field.targets[2]))
        await line.say(field.release(since - 10), *said, field.release(since - 1, "2A"))
    own = [s.shot.status for s in await line.shots() if s.target_id == field.targets[1]]
    assert own == [Status.UNRESOLVED, Status.LANDED]
    assert "shot.missed" not in await line.told()


async def test_a_heartbeat_that_cannot_be_kept_takes_no_others_with_it(
    deps: Deps,
) -> None:
    line = await in_one_partition(deps)
    field = line.field
    since = (now() - field.starts_at) / 1_000_000
    before = field.beat(started=-1000, buffered=0)
    await line.say(replace(before, received_at=now() - 60_000_000))
    await line.say(field.release(since - 20), field.release(since - 10))
    # Nobody knows this reader: it was in another database.
    strange = replace(field.beat(buffered=1), reader_id=uuid4())
    doubt, landed = field.beat(started=-1000, buffered=5), field.landed(since - 9.6)
    said: list[Accepted] = [strange, doubt, landed]
    await line.deps.inbox.append([Incoming(0, encode(each)) for each in said])
    await drain(line.deps, 0)
    assert await statuses(line) == [Status.UNRESOLVED, Status.LANDED]


async def test_a_moved_readers_butts_that_are_done_one_by_one_are_stored_before_its_word_counts(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await in_one_partition(deps, lanes=3)
    field = line.field
    async with deps.pool.acquire() as conn:
        place = Place(None, field.targets[2], instant(field.starts_at))
        moved_at = instant(field.starts_at + 50_000_000)
        await bind_from(conn, field.readers["1 target"], place, moved_at)
    await line.say(field.release(10))
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(field.targets[3]))
        await line.say(field.landed(100.4), field.release(3500, "3A"), field.landed(10.4))
    await line.say()
    assert await statuses(line) == [Status.LANDED]
    assert "shot.missed" not in await line.told()


async def test_what_belongs_elsewhere_lies_there_before_its_readers_word_counts(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes of the worker that found it."""
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=6))
        field, home = line.field, deps.inbox.partition_of
        there = home(field.targets[1])
        other = next(target for target in field.targets.values() if home(target) != there)
        place = Place(None, other, instant(field.starts_at))
        moved_at = instant(field.starts_at + 50_000_000)
        await bind_from(conn, field.readers["1 target"], place, moved_at)
    await line.say(field.release(10))
    said = [field.landed(10.4), field.landed(100.4)]
    await deps.inbox.append([Incoming(home(other), encode(each)) for each in said])
    with dying_before_it_tells(monkeypatch):
        await drain(deps, home(other))
    await drain(deps, there)
    assert await statuses(line) == [Status.LANDED]


async def test_no_overdue_shot_is_called_a_miss_that_a_heartbeat_takes_back(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await in_one_partition(deps, lanes=2)
    field = line.field
    since = (now() - field.starts_at) / 1_000_000
    await line.say(field.release(since - 8))
    async with deps.pool.acquire() as conn:
        await conn.execute("UPDATE shot SET status = 'in_flight', version = 1")
    line.deps.memory.forget()
    before = field.beat("1 target", started=-1000, buffered=0)
    async with deps.pool.acquire() as conn, conn.transaction():
        # It counts as online, and nothing was decided by it yet.
        await keep_said(conn, Said([replace(before, received_at=now() - 9_000_000)], {}, {}), LAST)
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(field.targets[2]))
        restarted = field.beat("1 target", started=since - 7, buffered=0)
        await line.say(restarted, field.release(since - 1, "2A"), with_overdue=True)
    own = [s.shot.status for s in await line.shots() if s.target_id == field.targets[1]]
    assert own == [Status.UNRESOLVED]
    assert "shot.missed" not in await line.told()


async def test_a_heartbeat_is_done_again_when_a_store_would_not_keep_it_just_then(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise asyncpg.DeadlockDetectedError("deadlock detected")

    await line.say(line.field.release(10))
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(line.field.targets[1]))
        patched.setattr(isolation, "keep_said", fail)
        with pytest.raises(asyncpg.DeadlockDetectedError):
            await line.say(line.field.beat(started=-1000, buffered=5))
    assert sum((await line.deps.inbox.depths()).values()) == 1


async def asked(line: Range) -> int:
    """How much is asked of workers besides what comes."""
    async with line.deps.pool.acquire() as conn:
        return await count_asked(conn)


async def test_a_heartbeat_on_another_partition_settles_where_the_reader_was(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
    line = Range(deps, field)
    await line.say(field.release(10, "1A"))
    async with deps.pool.acquire() as conn:
        await move(conn, field)
    await line.say(field.beat("1 target"))
    await line.say()
    assert await statuses(line) == [Status.MISSED]


async def move(conn: Connection, field: Field) -> None:
    """Move lane 1's target reader to lane 2 now: what it said before stays."""
    place = Place(None, field.targets[2], instant(field.starts_at))
    await bind_from(conn, field.readers["1 target"], place, instant(now()))


async def test_readers_fall_silent_once_and_viewers_are_told(line: Range) -> None:
    await line.say(line.field.beat())
    async with line.deps.pool.acquire() as conn:
        await conn.execute(
            "UPDATE reader_status SET last_heard_at = $1", instant(now() - 31_000_000)
        )
    await sweep(line.deps)
    await sweep(line.deps)
    told = [frame.text for frame in await line.frames() if "reader.offline" in frame.text]
    assert len(told) == 1


@pytest.mark.parametrize("faces", [False])
async def test_a_shot_is_in_flight_first_and_timers_decide_it(deps: Deps, faces: bool) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, faces=faces, rules={"landing_window_ms": 60_000})
    line = Range(deps, field)
    await line.say(field.release((now() - field.starts_at) / 1_000_000))
    assert await statuses(line) == [Status.IN_FLIGHT]
    assert (await deps.queue.counts()).deferred >= 1


async def test_a_word_that_had_to_wait_for_its_reader_decides_what_was_written_meanwhile(
    deps: Deps,
) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn)
        flying = await in_flight(conn, field, 10)
    reader, here = field.readers["1 target"], {deps.inbox.partition_of(field.targets[1])}
    clock = {(reader, Source.READER): KnownClock(Clock(begun_at=1))}
    async with deps.pool.acquire() as butt, deps.pool.acquire() as other:
        await keep_unheard(butt, clocks=clock)
        async with butt.transaction():
            await lock_readers(butt, [reader])
            await write_shots(butt, [], [flying])
            # Its heartbeat is done in a partition of its own.
            elsewhere = set(range(deps.inbox.partitions)) - here
            hearing = asyncio.create_task(done_alone(deps, other, elsewhere, field.beat()))
            await until_it_waits(butt, other)
        outcome = await hearing
    assert outcome.partitions == here


async def done_alone(
    deps: Deps, conn: Connection, partitions: set[int], said: AcceptedBeat
) -> Outcome:
    """A heartbeat done by itself."""
    async with conn.transaction():
        return await do_batch(conn, deps, partitions, Batch([said]), now())
