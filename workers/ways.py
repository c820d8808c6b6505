"""Readers that were moved to a butt of another partition: what they said before may still wait on
the way that it came, and what they say now tells of them only after that.

A landing that waits there may be the hit of what would be called a miss, a heartbeat may say that
more is still to be sent.
"""

import time
from collections.abc import Collection, Sequence
from uuid import UUID

from core.domain.values import SECOND
from core.inbox import Inbox
from core.models.binding_at import Bindings
from core.models.instants import FOREVER, instant
from core.models.known_reader import KnownReaders, Way
from core.models.reader_way import forget_ways
from core.postgres import Connection
from workers.deps import Deps

# An API process that has not heard of it yet, or a request that was under way, goes the old way;
# where a move was told beforehand, an API process may do so for ten minutes.
SETTLED_AFTER = 660 * SECOND


async def waiting_elsewhere(
    conn: Connection,
    deps: Deps,
    partitions: Collection[int],
    known: KnownReaders,
    as_of: int,
) -> dict[UUID, int]:
    """The readers of whom something waits on a way that they came before; the partition where.

    Ways on which nothing does any more are forgotten.

    Args:
        conn: In a transaction, with the readers locked.
        deps: The worker's clients.
        partitions: Those that are drained.
        known: The readers whose word has come.
        as_of: Now, microseconds.
    """
    inbox = deps.inbox
    asked: dict[UUID, list[int]] = {}
    for reader_id, ways in known.ways.items():
        here = _way_now(inbox, known.bindings, reader_id)
        left = [way for way in ways if way.key % inbox.partitions != here]
        if lanes := [lane for way in left for lane in _lanes(inbox, partitions, left, way)]:
            asked[reader_id] = lanes
    if not asked:
        return {}
    held = await inbox.holding(asked)
    settled = [
        (reader_id, way.key, instant(way.left_at))
        for reader_id, lanes in asked.items()
        for way in known.ways[reader_id]
        if reader_id not in held
        and inbox.late_lane(way.key % inbox.partitions) in lanes
        and way.key % inbox.partitions not in partitions
        and way.left_at < as_of - SETTLED_AFTER
    ]
    if settled:
        await forget_ways(conn, settled)
    return held


def _lanes(inbox: Inbox, partitions: Collection[int], ways: Sequence[Way], way: Way) -> list[int]:
    """The lanes of a way in which there may be something of a reader that comes before what is done
    of it at these partitions."""
    home = way.key % inbox.partitions
    if len(partitions) > 1:
        # All of them happens now and is done at once; what came late is not among it.
        return [inbox.late_lane(home)] if home in partitions else [home, inbox.late_lane(home)]
    # All that it said on the ways that it left later is newer: nothing waits in a ring.
    here = min((w.left_at for w in ways if w.key % inbox.partitions in partitions), default=FOREVER)
    return [home, inbox.late_lane(home)] if way.left_at < here else []


def _way_now(inbox: Inbox, bindings: Bindings, reader_id: UUID) -> int:
    """The partition that a reader's words go to just now: where it came back to is no way that it
    left."""
    now = time.time_ns() // 1_000
    begun = [bound for bound in bindings.of_reader.get(reader_id, []) if bound.begin <= now]
    return inbox.partition_of(begun[-1].target_id if begun else reader_id)
