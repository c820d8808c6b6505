"""Whether a reader's word may count: only when nothing of it waits in the inbox that may have come
before.

A landing that waits may be the hit of what would be called a miss, a heartbeat may say that more
is still to be sent. A partition's lanes are worked off in order, and nearly always all of a reader
lies in those of the butt where it is. Who was moved of late may have something in others, too: then
its word waits until it has not, whichever came first. What waits there is done meanwhile, heard or
not, so nobody waits in a ring.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from core.domain.values import SECOND
from core.entries import Entry
from core.inbox import Inbox
from core.models.binding_at import Bindings
from core.models.instants import instant
from core.models.known_reader import KnownReaders
from core.models.reader_way import forget_ways
from core.postgres import Connection
from core.schema.inbox import readable
from workers.deps import Deps

# An API process that has not heard of a move yet, or a request that was under way, goes the old
# way; where a move was told beforehand, an API process may do so for ten minutes.
SETTLED_AFTER = 660 * SECOND


async def held_up(
    conn: Connection,
    deps: Deps,
    read: Mapping[int, Sequence[Entry]],
    telling: Collection[UUID],
    known: KnownReaders,
    as_of: int,
) -> set[UUID]:
    """The readers of whom something waits that may have come before what they say.

    Ways on which nothing does any more are forgotten.

    Args:
        conn: In a transaction, with the readers locked.
        deps: The worker's clients.
        read: What is done of the inbox, by lane; what was kept elsewhere is not in it.
        telling: The readers that say something.
        known: What is known of them.
        as_of: Now, microseconds.
    """
    inbox, now = deps.inbox, _now()
    ways = {reader: _ways(inbox, known, reader, now) for reader in telling}
    drained = {lane % inbox.partitions for lane in read}
    if all(reader not in known.ways and theirs == drained for reader, theirs in ways.items()):
        return set()
    through = _through(inbox, read)
    among = {
        reader: _lanes(inbox, theirs | through.get(reader, set()), read)
        for reader, theirs in ways.items()
        if reader in known.ways or theirs != through.get(reader)
    }
    if not among:
        return set()
    last = {lane: entries[-1].id for lane, entries in read.items() if entries}
    held = await inbox.holding(among, last)
    settled = [
        (reader, way.key, instant(way.left_at))
        for reader in among
        if reader not in held
        for way in known.ways.get(reader, ())
        if way.left_at < as_of - SETTLED_AFTER
    ]
    if settled:
        await forget_ways(conn, settled)
    return held


def way_now(inbox: Inbox, bindings: Bindings, reader_id: UUID) -> int:
    """The partition that a reader's words go to just now."""
    now = _now()
    begun = [bound for bound in bindings.of_reader.get(reader_id, []) if bound.begin <= now]
    return inbox.partition_of(begun[-1].target_id if begun else reader_id)


def _now() -> int:
    return time.time_ns() // 1_000


def _ways(inbox: Inbox, known: KnownReaders, reader_id: UUID, now: int) -> set[int]:
    """The partitions that a reader's words come through, came through of late or will soon: that of
    the butt where it is or was last, or its own."""
    told = [
        bound
        for bound in known.bindings.of_reader.get(reader_id, [])
        if bound.begin <= now + SETTLED_AFTER
    ]
    long_ago = [bound for bound in told if bound.begin <= now - SETTLED_AFTER]
    owners = {bound.target_id for bound in told[len(long_ago) :]}
    owners.add(long_ago[-1].target_id if long_ago else reader_id)
    noted = {way.key % inbox.partitions for way in known.ways.get(reader_id, ())}
    return noted | {inbox.partition_of(owner) for owner in owners}


def _through(inbox: Inbox, read: Mapping[int, Sequence[Entry]]) -> dict[UUID, set[int]]:
    """The partitions that what each reader says came through."""
    through: dict[UUID, set[int]] = {}
    for lane, entries in read.items():
        told = (readable(entry.payload) for entry in entries)
        for reader in {each.reader_id for each in told if each is not None}:
            through.setdefault(reader, set()).add(lane % inbox.partitions)
    return through


def _lanes(
    inbox: Inbox, partitions: Collection[int], read: Mapping[int, Sequence[Entry]]
) -> list[int]:
    """The lanes of partitions, but for what came late where that is read: no reader is in two parts
    of it, and nothing is carried there."""
    late = [inbox.late_lane(partition) for partition in partitions]
    return [*partitions, *(lane for lane in late if lane not in read)]
