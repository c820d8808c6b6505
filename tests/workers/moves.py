"""Readers that are moved, fall silent or are heard in between, and what becomes of arrows then."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from core.domain.values import SECOND, Status
from core.gate import Haste, Incoming
from core.inbox import Inbox
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.models.instants import instant
from core.models.reader_move import move_reader
from core.models.recompute import request_recompute
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent, encode
from core.schema.reader import Whereabouts
from tests.fields import as_if_received_then, now, put_up
from tests.workers.conftest import Range
from workers.deps import Deps
from workers.drain import drain
from workers.late import drain_late
from workers.sweep import sweep

WAYS_SELECT = "SELECT count(*) FROM reader_way WHERE reader_id = $1"
BUFFERED_SELECT = "SELECT buffered FROM reader_status WHERE reader_id = $1"
# After the session's start, seconds: an arrow of the first butt, and when its reader was moved.
SHOT_AT, MOVED_AT = 10.0, 50.0
STATUS_UPDATE_HEARD = """
UPDATE reader_status SET last_heard_at = last_heard_at - make_interval(secs => $1)
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """The first butt's reader was moved to a butt of another partition.

    Args:
        line: The butts.
        before: The partition that it came through before.
        after: That which it comes through now.
        lane: The butt where it is.
    """

    line: Range
    before: int
    after: int
    lane: int

    async def put(self, partition: int, *said: Accepted, haste: Haste = Haste.NOW) -> None:
        """Put into a partition's inbox, whosever it is."""
        await self.line.deps.inbox.append([Incoming(partition, encode(e), haste) for e in said])

    async def do_now(self) -> None:
        """Do what happens now, and what is asked for by it."""
        for partition in [self.after, *range(self.line.deps.inbox.partitions)]:
            await drain(self.line.deps, partition)

    async def do_all(self) -> None:
        """Do all that waits; what waits for something else is looked at once a round."""
        for _ in range(5):
            await self.do_now()
            for partition in range(self.line.deps.inbox.partitions):
                await drain_late(self.line.deps, partition)

    async def statuses(self) -> list[Status]:
        """What became of the first butt's shots, in the order of their releases."""
        target = self.line.field.targets[1]
        return [s.shot.status for s in await self.line.shots() if s.target_id == target]


async def go(line: Range, lane: int, at: float, told_at: float | None = None) -> None:
    """Move the first butt's reader, as operators do it, who tell it now or at another time."""
    field = line.field
    begin = instant(field.starts_at + round(at * SECOND))
    place = Whereabouts(None, field.targets[lane])
    async with line.deps.pool.acquire() as conn, conn.transaction():
        now_ = datetime.now(UTC) if told_at is None else datetime.fromtimestamp(told_at, UTC)
        await move_reader(conn, field.readers["1 target"], place, begin, now_)


async def on(moved: Moved) -> int:
    """Move the reader once more, to a third partition; to which butt."""
    inbox, targets = moved.line.deps.inbox, moved.line.field.targets
    ways_ = (moved.before, moved.after)
    third = next(lane for lane, t in targets.items() if inbox.partition_of(t) not in ways_)
    await go(moved.line, third, MOVED_AT + 40)
    return third


async def moved_away(deps: Deps) -> Moved:
    """With an arrow that left before and is not decided."""
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=12))
    homes = {lane: deps.inbox.partition_of(target) for lane, target in line.field.targets.items()}
    lane = next(lane for lane, home in homes.items() if home != homes[1])
    await line.say(line.field.release(SHOT_AT))
    await go(line, lane, MOVED_AT)
    return Moved(line, homes[1], homes[lane], lane)


def ago(line: Range, seconds: float) -> float:
    """Seconds after the session's start of what was so long ago."""
    return (now() - line.field.starts_at) / SECOND - seconds


def then[Said: (AcceptedEvent, AcceptedBeat)](said: Said, seconds: float) -> Said:
    """What came so long ago."""
    return replace(said, received_at=now() - round(seconds * SECOND))


async def moved_lately(deps: Deps, seconds: float) -> Moved:
    """Moved so long ago, and nothing was shot yet."""
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=12))
    homes = {lane: deps.inbox.partition_of(target) for lane, target in line.field.targets.items()}
    lane = next(lane for lane, home in homes.items() if home != homes[1])
    await go(line, lane, ago(line, seconds))
    return Moved(line, homes[1], homes[lane], lane)


@dataclass(frozen=True, slots=True)
class Begun:
    """A session has begun five minutes ago, and an API process does not know it yet.

    Args:
        line: The butts.
        lane: A butt whose reader's own partition is another than the butt's.
        own: The reader's partition.
        home: The butt's.
    """

    line: Range
    lane: int
    own: int
    home: int


async def begun_lately(deps: Deps) -> Begun:
    """Nothing was shot yet."""
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=12, since=timedelta(minutes=5)))
    field, inbox = line.field, deps.inbox
    own = {n: inbox.partition_of(field.readers[f"{n} target"]) for n in field.targets}
    home = {lane: inbox.partition_of(target) for lane, target in field.targets.items()}
    # Not every reader's own partition is another than its butt's.
    lane = next(lane for lane in home if own[lane] != home[lane])
    return Begun(line, lane, own[lane], home[lane])


async def became(line: Range, release: AcceptedEvent) -> Status:
    """What became of an arrow."""
    shots = await line.shots()
    return next(s.shot.status for s in shots if s.shot.release_event_id == release.event_id)


async def ways(line: Range) -> int:
    """How many ways of the first butt's reader are kept."""
    async with line.deps.pool.acquire() as conn:
        count: int = await conn.fetchval(WAYS_SELECT, line.field.readers["1 target"])
    return count


async def buffered(line: Range, reader_id: UUID) -> int | None:
    """What a reader still has to send, as far as is known."""
    async with line.deps.pool.acquire() as conn:
        left: int | None = await conn.fetchval(BUFFERED_SELECT, reader_id)
    return left


def words(moved: Moved) -> dict[str, Accepted]:
    """What the reader says where it is now, by its kind."""
    field = moved.line.field
    return {
        "heartbeat": field.beat(started=-1000, buffered=0),
        "landing": field.landed(3500),
    }


def running(line: Range, reader: str = "1 target", left: int = 0) -> AcceptedBeat:
    """A heartbeat of a reader that has run for long."""
    return line.field.beat(reader, started=-1000, buffered=left)


async def presumed_miss(line: Range) -> AcceptedEvent:
    """An arrow that missed as far as is known, whose reader was heard last just before it."""
    await line.say(then(running(line), 15))
    release = line.field.release(ago(line, 12))
    await line.say(release)
    assert await became(line, release) is Status.MISSED
    return release


async def bind(line: Range, reader: str, lane: int | None, seconds: float | None = None) -> None:
    """Put a reader somewhere since so long ago, as the API does."""
    at = datetime.now(UTC)
    begin = None if seconds is None else instant(now() - round(seconds * SECOND))
    place = Whereabouts(None, None if lane is None else line.field.targets[lane])
    async with line.deps.pool.acquire() as conn, conn.transaction():
        moved = await move_reader(conn, line.field.readers[reader], place, begin, at)
        readers = [line.field.readers[reader]]
        await request_recompute(
            conn, list(moved.targets), moved_readers=readers, request_id=uuid4()
        )


async def a_while_later(line: Range, seconds: float) -> None:
    """The readers said nothing meanwhile, and the safety net was at work."""
    async with line.deps.pool.acquire() as conn:
        await conn.execute(STATUS_UPDATE_HEARD, seconds)
    for _ in range(2):
        await sweep(line.deps)
        await line.say(with_overdue=True)


async def told_of(line: Range, release: AcceptedEvent) -> list[str]:
    """What viewers were told became of an arrow."""
    said = [json.loads(message.text)["data"].get("shot") for message in await line.frames()]
    shots = [shot for shot in said if shot is not None]
    return [s["status"] for s in shots if s["release_event_id"] == str(release.event_id)]


def at_the_look(
    patched: pytest.MonkeyPatch,
    inbox: Inbox,
    *,
    before: Callable[[], Awaitable[object]] | None = None,
    after: Callable[[set[UUID]], Awaitable[object]] | None = None,
) -> None:
    """Have something happen just before the inbox is looked at, or just after a look for presumed
    misses, which says whose words wait."""
    look = inbox.holding

    async def looked(
        among: Mapping[UUID, Collection[int]],
        read: Mapping[int, bytes],
        *,
        with_newer: bool = False,
    ) -> set[UUID]:
        if before is not None:
            await before()
        held = await look(among, read, with_newer=with_newer)
        if after is not None and with_newer:
            await after(held)
        return held

    patched.setattr(inbox, "holding", looked)


async def past_its_opening(line: Range) -> None:
    """The butt's first shots are decided by those after them, too: not any more."""
    for at in range(10, 410, 10):
        release, hit = line.field.release(at), line.field.landed(at + 0.4)
        await line.put(as_if_received_then(release), as_if_received_then(hit))
    await line.say()


async def an_operator_retries(deps: Deps, function: str, arguments: dict[str, object]) -> str:
    """A failed job that an operator wants to be tried again; its id."""
    at = datetime.now(UTC)
    tries = [attempt(ValueError("no"), at, at)]
    async with deps.pool.acquire() as conn:
        await insert_failed_job(conn, Failure("failed:1", function, arguments, tries))
        (row,) = await conn.fetch("UPDATE failed_job SET state = 'restarted' RETURNING id")
    return str(row["id"])


@dataclass(frozen=True, slots=True)
class Before:
    """A reader that was heard, and two arrows after that.

    Args:
        miss: The first arrow, which it did not see.
        hit: The landing of the second, which it said 81 s ago.
    """

    miss: AcceptedEvent
    hit: AcceptedEvent


async def two_arrows(line: Range) -> Before:
    """Past the butt's opening, when the reader was heard."""
    await past_its_opening(line)
    await line.say(then(running(line), 100))
    miss = then(line.field.release(ago(line, 90)), 90)
    await line.put(miss, then(line.field.release(ago(line, 82)), 82))
    return Before(miss, then(line.field.landed(ago(line, 81.6)), 81))


async def in_batches(line: Range, said: Sequence[Accepted], *, is_together: bool) -> None:
    """Say it one by one, or all at once."""
    if is_together:
        await line.say(*said)
    else:
        for each in said:
            await line.say(each)
    await a_while_later(line, 0)
