"""Whether a reader's word may count: only when nothing of it waits in the inbox that may have come
before.

A landing that waits may be the hit of what would be called a miss, a heartbeat may say that more
is still to be sent. A partition's lanes are worked off in order, and nearly always all of a reader
lies in those of the butt where it is. Who was moved of late may have something in others, too: then
its word waits until it has not, whichever came first. What waits there is done meanwhile, heard or
not, so nobody waits in a ring.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from core.domain.values import SECOND
from core.domain.window import Span
from core.entries import Entry
from core.inbox import Inbox
from core.models.binding_at import Bindings, select_bindings, select_watching
from core.models.instants import instant, now
from core.models.known_reader import KnownReaders
from core.models.reader_way import forget_ways, select_ways
from core.postgres import Connection
from core.schema.inbox import AcceptedBeat, readable
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
    inbox, at = deps.inbox, now()
    noted = {reader: [way.key for way in theirs] for reader, theirs in known.ways.items()}
    ways = {r: _ways(inbox, known.bindings, r, noted.get(r, ()), at) for r in telling}
    drained = {lane % inbox.partitions for lane in read}
    if len(drained) == 1 and all(
        reader not in known.ways and theirs == drained for reader, theirs in ways.items()
    ):
        return set()
    through = _through(inbox, read)
    among = {
        reader: _lanes(inbox, theirs | through.get(reader, set()), read)
        for reader, theirs in ways.items()
        if reader in known.ways or len(theirs) > 1 or theirs != through.get(reader)
    }
    if not among:
        return set()
    held = await inbox.holding(among, _last(read))
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


async def waited_for(
    conn: Connection,
    deps: Deps,
    read: Mapping[int, Sequence[Entry]],
    spans: Mapping[UUID, Span],
) -> set[UUID]:
    """The targets of whose readers something waits: that they are there says nothing yet of what
    they saw.

    Args:
        conn: In a transaction.
        deps: The worker's clients.
        read: What is done of the inbox, by lane.
        spans: Some targets, and when arrows were in the air there.
    """
    inbox, at = deps.inbox, now()
    watching = await select_watching(conn, spans)
    bindings = await select_bindings(conn, watching, at - SETTLED_AFTER)
    noted = await select_ways(conn, watching)
    among: dict[UUID, list[int]] = {}
    for reader, targets in watching.items():
        ways = _ways(inbox, bindings, reader, noted.get(reader, ()), at)
        ways.update(map(inbox.partition_of, targets))
        among[reader] = [*ways, *map(inbox.late_lane, ways)]
    if not among:
        return set()
    # Also what came after all that is read: of what came late that may be a part.
    held = await inbox.holding(among, _last(read), with_newer=True)
    return {target for reader in held for target in watching[reader]}


def is_news(noted: Mapping[UUID, Collection[int]], known: KnownReaders) -> bool:
    """Whether ways of readers are noted, by their keys, that were not known."""
    return any(
        not {way.key for way in known.ways.get(reader, ())} >= set(keys)
        for reader, keys in noted.items()
    )


def telling_most(beats: Sequence[tuple[int, AcceptedBeat]]) -> list[tuple[int, AcceptedBeat]]:
    """Of heartbeats, each with a partition, those that say all that the others do: of each start of
    a reader the last, and the last that had nothing left to send."""
    last: dict[tuple[UUID, int | None, int | None, bool], tuple[int, AcceptedBeat]] = {}
    for where, beat in sorted(beats, key=lambda each: each[1].received_at):
        last[beat.reader_id, beat.started_at, beat.heard_before, not beat.buffered] = where, beat
    return list(last.values())


def way_now(inbox: Inbox, bindings: Bindings, reader_id: UUID) -> int:
    """The partition that a reader's words go to just now."""
    at = now()
    begun = [bound for bound in bindings.of_reader.get(reader_id, []) if bound.begin <= at]
    return inbox.partition_of(begun[-1].target_id if begun else reader_id)


def _last(read: Mapping[int, Sequence[Entry]]) -> dict[int, bytes]:
    """The last id that is read, by lane."""
    return {lane: entries[-1].id for lane, entries in read.items() if entries}


def _ways(
    inbox: Inbox, bindings: Bindings, reader_id: UUID, noted: Collection[int], at: int
) -> set[int]:
    """The partitions that a reader's words come through, came through of late or will soon: that of
    the butt where it is or was last, or its own, and those whose keys are noted."""
    told = [
        bound
        for bound in bindings.of_reader.get(reader_id, [])
        if bound.begin <= at + SETTLED_AFTER
    ]
    long_ago = [bound for bound in told if bound.begin <= at - SETTLED_AFTER]
    owners = {bound.target_id for bound in told[len(long_ago) :]}
    owners.add(long_ago[-1].target_id if long_ago else reader_id)
    keys = {key % inbox.partitions for key in noted}
    return keys | {inbox.partition_of(owner) for owner in owners}


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
