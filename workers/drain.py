"""A partition emptied: batch after batch under its lock, each committed before it leaves the
inbox."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from core.domain.values import MILLISECOND, Status
from core.domain.window import Span
from core.inbox import Reading
from core.models.instants import FOREVER
from core.models.work import select_barriers, try_unasked_partition, unlock_partitions
from core.postgres import Connection
from core.schema.inbox import Accepted, encode
from core.valkey import LOST
from workers.auto_ends import closing_frames, note_told, opening_frames
from workers.batch import Batch, Outcome, do_batch
from workers.clocks import warn
from workers.containment import contained
from workers.deps import Deps
from workers.entries import decoded, keep_unreadable, put_aside
from workers.errors import is_passing
from workers.following import ranking, scoring, timers
from workers.frames import reader_frames, shot_frames
from workers.holding import take_partitions
from workers.isolation import do_isolated
from workers.review import review_frames, tell_due
from workers.set_apart import set_apart
from workers.turn import Turn, waiting

EVER = Span(-FOREVER, FOREVER)


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


async def drain(
    deps: Deps, partition: int, *, with_overdue: bool = False, is_late: bool = False
) -> None:
    """Do all that waits for a partition: events in its inbox, what the API asked, what is overdue.

    Args:
        deps: The worker's clients.
        partition: Which.
        with_overdue: Whether shots are looked at whose time is up.
        is_late: Whether that is since long, so that a sweep found it.

    Whatever dies in between, nothing is lost: what is not committed is still in the inbox, and what
    is committed and not published is found by the relay.
    """
    async with _turn(deps, partition, with_overdue=with_overdue) as (conn, held):
        turn = replace(held, is_late=is_late)
        try:
            while await _in_turn(conn, deps, turn):
                pass
        except BaseException:
            # It was no death. A store that is away does not hear it: then it counts as one.
            with suppress(*LOST):
                await deps.inbox.give_back(partition)
            raise


async def do_aside(
    deps: Deps,
    partition: int,
    accepted: Sequence[Accepted],
    target_id: UUID | None = None,
    request_id: UUID | None = None,
) -> None:
    """Do events that are kept elsewhere than in the inbox, and nothing else that waits.

    Args:
        deps: The worker's clients.
        partition: Whose.
        accepted: The events; where they are kept they stay until this has ended well.
        target_id: A target whose shots are derived besides, all of them.
        request_id: The request that wants it.
    """
    async with _turn(deps, partition, with_overdue=False) as (conn, held):
        wanted = {} if target_id is None else {target_id: EVER}
        requests = {target: request_id for target in wanted if request_id is not None}
        turn = replace(held, is_asked=False, wanted=wanted, requests=requests)
        oldest_ms = await deps.inbox.oldest_of(partition)
        as_of = now() if oldest_ms is None else min(now(), oldest_ms * MILLISECOND)
        outcomes = await _do(conn, deps, turn, accepted, as_of)
        await _publish(conn, deps, outcomes)
        await _hand_over(deps, outcomes)
        await _follow_up(deps, outcomes, as_of)


@asynccontextmanager
async def _turn(
    deps: Deps, partition: int, *, with_overdue: bool
) -> AsyncIterator[tuple[Connection, Turn]]:
    """A partition's lock, and those of what must stand still meanwhile."""
    async with deps.pool.acquire() as conn:
        held, is_asked = await _taken(conn, deps, partition)
        try:
            yield conn, Turn(partition, held, is_asked, with_overdue)
        finally:
            if not conn.is_closed():
                await unlock_partitions(conn, held)


async def _taken(conn: Connection, deps: Deps, partition: int) -> tuple[frozenset[int], bool]:
    """The partitions that are held from now on, and whether the API asked something."""
    if await try_unasked_partition(conn, partition, deps.inbox.partitions):
        return frozenset({partition}), False
    barriers = await select_barriers(conn, partition, deps.inbox.partitions)
    held = frozenset({partition, *barriers})
    await take_partitions(conn, deps, held)
    return held, bool(barriers)


async def _in_turn(conn: Connection, deps: Deps, turn: Turn) -> bool:
    """Do one batch when it is this one's turn among the partitions that the worker drains at once;
    whether there is more."""
    async with deps.turns:
        return await _one_batch(conn, deps, turn)


async def _one_batch(conn: Connection, deps: Deps, turn: Turn) -> bool:
    """Do one batch; whether there is more."""
    partition, began_at = turn.partition, now()
    size = deps.settings.quiver_batch_size
    reading = await deps.inbox.begin_and_read(partition, size, others=turn.is_counted)
    if reading.deadly is not None:
        await put_aside(conn, deps, partition, reading.deadly)
        return True
    entries = reading.entries
    if reading.is_alone:
        # What is asked or overdue may be what kills: no entry is to pay for it.
        turn = replace(turn, is_asked=False, with_overdue=False, is_late=False)
    if reading.others_are_deadly:
        await set_apart(conn, deps, turn, began_at)
        await deps.inbox.give_back(partition)
        return False
    if not (entries or turn.is_asked or turn.with_overdue):
        return False
    accepted, unreadable = decoded(entries)
    await keep_unreadable(conn, unreadable)
    as_of = _heard_until(began_at, reading, accepted)
    outcomes = await _do(conn, deps, turn, accepted, as_of)
    # Viewers wait for this; what a crash keeps from leaving the inbox is read again and changes
    # nothing.
    await _publish(conn, deps, outcomes)
    deps.statistics.told(entries, now() / MILLISECOND)
    deps.statistics.heard(accepted, [each for outcome in outcomes for each in outcome.repeated])
    await _hand_over(deps, outcomes)
    await _follow_up(deps, outcomes, as_of)
    await deps.inbox.acknowledge(partition, entries, others=turn.is_counted)
    if turn.with_overdue or any(d <= as_of for d in _deadlines_of_unmatched(outcomes)):
        await tell_due(conn, deps, partition, as_of)
    return reading.has_more or reading.is_alone


def _heard_until(began_at: int, reading: Reading, accepted: Sequence[Accepted]) -> int:
    """Until when all that came is known, microseconds: what came later may lie in the inbox, and
    nobody's time is up before it was looked at."""
    known_until = reading.entries[-1].came_at if reading.has_more else began_at
    return max([known_until, *(each.received_at for each in accepted)])


async def _do(
    conn: Connection,
    deps: Deps,
    turn: Turn,
    accepted: Sequence[Accepted],
    as_of: int,
) -> list[Outcome]:
    """All at once; when that fails for good, target by target, so that one does not hold up the
    others."""

    async def together() -> Outcome:
        async with conn.transaction():
            spans, requests = await waiting(conn, deps, turn, as_of)
            return await do_batch(
                conn, deps, turn.partition, Batch(accepted, spans, requests), as_of
            )

    (result,) = await asyncio.gather(contained(together()), return_exceptions=True)
    if isinstance(result, Outcome):
        return [result]
    if not isinstance(result, Exception) or is_passing(result):
        raise result
    return await do_isolated(conn, deps, turn, accepted, as_of)


async def _hand_over(deps: Deps, outcomes: Sequence[Outcome]) -> None:
    """Put events of other partitions' targets into their inboxes, before they leave ours."""
    moved = [
        (deps.inbox.partition_of(target_id), encode(event))
        for outcome in outcomes
        for target_id, event in outcome.elsewhere
    ]
    await deps.inbox.append(moved)


async def _publish(conn: Connection, deps: Deps, outcomes: Sequence[Outcome]) -> None:
    changes = [change for outcome in outcomes for change in outcome.changes if change.is_visible]
    online = [place for outcome in outcomes for place in outcome.online]
    reviews = await review_frames(conn, changes)
    ends = [end for outcome in outcomes for end in outcome.ends]
    frames = [*opening_frames(ends), *shot_frames(changes), *closing_frames(ends), *reviews]
    await deps.feed.publish([*frames, *reader_frames("reader.online", online)])
    deps.told.add(change.after for change in changes)
    await note_told(conn, ends)


def _deadlines_of_unmatched(outcomes: Sequence[Outcome]) -> list[int]:
    return [landing.deadline for outcome in outcomes for landing in outcome.unmatched]


async def _follow_up(deps: Deps, outcomes: Sequence[Outcome], as_of: int) -> None:
    """Set the timers, and ask for what must follow."""
    after = [change.after for outcome in outcomes for change in outcome.changes]
    deadlines = {s.shot.deadline for s in after if s.shot.status is Status.IN_FLIGHT}
    deadlines.update(d for d in _deadlines_of_unmatched(outcomes) if d > as_of)
    unscored = sorted((s for s in after if s.shot.is_unscored), key=lambda s: s.target_id)
    at = datetime.now(UTC)
    dated = [*timers(deadlines, now()), *ranking({s.session_id for s in after}, at)]
    requests = {s.target_id: s.request_id for s in unscored}
    await deps.queue.enqueue_all(
        [*deps.appointments.new(dated, at), *(scoring(*each) for each in requests.items())]
    )
    warn(suspect for outcome in outcomes for suspect in outcome.suspects)
    await deps.queue.wake({p for outcome in outcomes for p in outcome.partitions})
