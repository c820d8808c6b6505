"""A partition emptied: batch after batch under its lock, each committed before it leaves the
inbox."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from copy import replace
from uuid import UUID

from core.domain.values import MILLISECOND
from core.domain.window import Span
from core.entries import Reading
from core.models.instants import FOREVER, now
from core.models.work import select_barriers, try_unasked_partition, unlock_partitions
from core.postgres import Connection
from core.schema.inbox import Accepted
from core.valkey import LOST
from workers.batch import Batch, Outcome, carry, do_batch
from workers.consequences import Done, bring_about, deadlines_of_unmatched
from workers.containment import tried
from workers.deps import Deps
from workers.entries import decoded, keep_unreadable, put_aside, unheard
from workers.holding import take_partitions
from workers.isolation import do_isolated
from workers.review import tell_due
from workers.set_apart import set_apart
from workers.turn import Turn, waiting

EVER = Span(-FOREVER, FOREVER)


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
    async with turn_at(deps, partition, with_overdue=with_overdue) as (conn, held):
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
    async with turn_at(deps, partition, with_overdue=False) as (conn, held):
        wanted = {} if target_id is None else {target_id: EVER}
        requests = {target: request_id for target in wanted if request_id is not None}
        oldest_ms = await deps.inbox.oldest_of(partition)
        as_of = now() if oldest_ms is None else min(now(), oldest_ms * MILLISECOND)
        turn = replace(held, is_asked=False, wanted=wanted, requests=requests)
        outcomes = await _do(conn, deps, turn, accepted, as_of)
        await bring_about(conn, deps, outcomes, as_of)


@asynccontextmanager
async def turn_at(
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
    began_at, size = now(), deps.settings.quiver_batch_size
    reading = await deps.inbox.begin_and_read(turn.partition, size, others=turn.is_counted)
    return await do_reading(conn, deps, turn, reading, began_at)


async def do_reading(
    conn: Connection, deps: Deps, turn: Turn, reading: Reading, began_at: int
) -> bool:
    """Do what was read of a partition; whether there is more.

    Args:
        conn: With the partition locked.
        deps: The worker's clients.
        turn: What is done at the partition.
        reading: What its inbox held.
        began_at: When that was read at the earliest, microseconds.
    """
    lane = turn.from_lane
    turn = replace(
        turn,
        unheard=unheard(reading.entries, reading.late_since, turn.partition),
        read={lane: reading.entries},
    )
    if reading.deadly is not None:
        await put_aside(conn, deps, lane, reading.deadly)
        return True
    entries = reading.entries
    if reading.is_alone:
        # What is asked or overdue may be what kills: no entry is to pay for it.
        turn = replace(turn, is_asked=False, with_overdue=False, is_late=False)
    if reading.others_are_deadly:
        await set_apart(conn, deps, turn, began_at)
        await deps.inbox.give_back(lane)
        return False
    if not (entries or turn.is_asked or turn.with_overdue):
        return False
    accepted, unreadable = decoded(entries)
    await keep_unreadable(conn, unreadable)
    as_of = _heard_until(began_at, reading, accepted)
    outcomes = await _do(conn, deps, turn, accepted, as_of)
    left = {lane: entries} if entries or turn.is_counted else {}
    await bring_about(conn, deps, outcomes, as_of, Done(left, accepted))
    if turn.with_overdue or any(d <= as_of for d in deadlines_of_unmatched(outcomes)):
        await tell_due(conn, deps, {turn.partition}, as_of)
    return reading.has_more or reading.is_alone


def _heard_until(began_at: int, reading: Reading, accepted: Sequence[Accepted]) -> int:
    """Until when all that came is known, microseconds: what came later may lie in the inbox, and
    nobody's time is up before it was looked at."""
    known_until = reading.entries[-1].came_at if reading.has_more else began_at
    known_until = max([known_until, *(each.received_at for each in accepted)])
    elsewhere = [at for at in (reading.late_since, reading.now_since) if at is not None]
    return min([known_until, *elsewhere])


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
            batch = Batch(accepted, spans, requests, turn.unheard, turn.is_part, read=turn.read)
            outcome = await do_batch(conn, deps, {turn.partition}, batch, as_of)
            await carry(deps, [outcome])
            return outcome

    result = await tried(together())
    if isinstance(result, Outcome):
        return [result]
    return await do_isolated(conn, deps, turn, accepted, as_of)
