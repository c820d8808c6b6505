"""Partitions in which little waits, drained in one transaction: what a drain costs besides its
events is paid once for all of them."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from core.entries import Reading
from core.models.instants import now
from core.models.work import try_unasked_partitions, unlock_partitions
from core.postgres import Connection
from core.valkey import LOST
from workers.batch import Batch, Outcome, carry, do_batch, events_of
from workers.consequences import Done, bring_about, deadlines_of_unmatched
from workers.containment import tried
from workers.deps import Deps
from workers.drain import do_reading
from workers.entries import decoded, keep_unreadable, unheard
from workers.review import tell_due
from workers.turn import Turn

# A partition in which more waits is drained by itself, so that the others need not wait for it.
FEW = 64


class Left(Struct, frozen=True):
    """What a group could not do.

    Args:
        held: Partitions that somebody else is at, or of which something was asked.
        alone: Partitions to be drained by themselves.
        has_arrows: Whether there was anything but heartbeats.
    """

    held: Collection[int]
    alone: Collection[int]
    has_arrows: bool = False


async def drain_group(deps: Deps, partitions: Collection[int]) -> Left:
    """Do what waits in the inbox of these partitions, of those that nobody is at.

    Whatever dies in between, nothing is lost: what is not committed is still in the inbox, and what
    is committed and not published is found by the relay.
    """
    async with deps.pool.acquire() as conn:
        held = await try_unasked_partitions(conn, partitions, deps.inbox.partitions)
        try:
            alone, has_arrows = await _drain_held(conn, deps, held) if held else (set(), False)
        except BaseException:
            # It was no death. A store that is away does not hear it: then it counts as one.
            with suppress(*LOST):
                await deps.inbox.give_back(*held)
            raise
        finally:
            if held and not conn.is_closed():
                await unlock_partitions(conn, held)
        return Left(set(partitions) - set(held), alone, has_arrows)


async def _drain_held(conn: Connection, deps: Deps, held: Sequence[int]) -> tuple[set[int], bool]:
    """Drain partitions that are locked; those that are left to be drained by themselves, and
    whether there was anything but heartbeats."""
    began_at = now()
    readings = await deps.inbox.begin_and_read_few(held, FEW)
    plain = {p: reading for p, reading in readings.items() if reading.is_plain and reading.entries}
    alone = set(held) - set(readings)
    if plain:
        alone |= await _together(conn, deps, plain, began_at)
    for partition in sorted(p for p, reading in readings.items() if not reading.is_plain):
        # Workers died over something here. The others are done and out of its way.
        turn = Turn(partition, frozenset({partition}), is_asked=False, with_overdue=False)
        if await do_reading(conn, deps, turn, readings[partition], began_at):
            alone.add(partition)
    told = (decoded(reading.entries)[0] for reading in plain.values())
    return alone, any(map(events_of, told))


async def _together(
    conn: Connection, deps: Deps, readings: Mapping[int, Reading], began_at: int
) -> set[int]:
    """Do all that was read in one transaction; when that fails for good, the partitions, to be
    drained by themselves."""
    entries = {partition: reading.entries for partition, reading in readings.items()}
    accepted, unreadable = decoded(sorted(chain(*entries.values()), key=attrgetter("order")))
    late_since = {p: r.late_since for p, r in readings.items() if r.late_since is not None}
    as_of = max([began_at, *(each.received_at for each in accepted)])
    batch = Batch(
        accepted,
        unheard={
            event_id: where
            for partition, reading in readings.items()
            for event_id, where in unheard(reading.entries, reading.late_since, partition).items()
        },
        read=entries,
        late_since=late_since,
    )

    async def together() -> Outcome:
        async with conn.transaction():
            outcome = await do_batch(conn, deps, readings, batch, as_of)
            await carry(deps, [outcome])
            return outcome

    outcome = await tried(together())
    if isinstance(outcome, Exception):
        await deps.inbox.give_back(*readings)
        return set(readings)
    await keep_unreadable(conn, unreadable)
    heard_until = min([as_of, *late_since.values()])
    await bring_about(conn, deps, [outcome], heard_until, Done(entries, accepted))
    if any(deadline <= heard_until for deadline in deadlines_of_unmatched([outcome])):
        await tell_due(conn, deps, readings, heard_until)
    return set()
